// What is used of node-pty 1.1.0, an optional dependency: it need not be installed for the sources to be checked.
declare module 'node-pty' {
  /** `encoding: null` makes `onData` hand over bytes, which the package's own types do not tell. */
  export function spawn(file: string, args: string[], options: PtyOptions): Pty

  type PtyOptions = {
    readonly rows: number
    readonly cols: number
    readonly name: string
    readonly env: Readonly<Record<string, string>>
    readonly cwd: string
    readonly encoding: null
  }
  type Pty = {
    /** Of the terminal's other end, which does not block; closed with it. */
    readonly fd: number
    on(event: 'close', listener: () => void): void
    onData(listener: (data: Buffer) => void): void
    onExit(listener: (event: { readonly exitCode: number; readonly signal?: number }) => void): void
    resize(columns: number, rows: number): void
    kill(signal: string): void
    pause(): void
    resume(): void
  }
}
