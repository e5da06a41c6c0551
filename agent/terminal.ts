import { AgentRefusal } from './agent-error.ts'
import { childEnvironment } from './program.ts'

export type TerminalSize = { readonly rows: number; readonly columns: number }

/** A program on its own terminal. */
export type Terminal = {
  /** Takes what the program writes. @param take must not be called again before it resolves */
  onOutput(take: (bytes: Buffer) => Promise<void>): void
  write(bytes: Buffer): void
  resize(size: TerminalSize): void
  /** As when a terminal is closed: SIGHUP. */
  hangUp(): void
  /** Exit code, 128 + signal when a signal ended it. Resolves after the last output was handed over. */
  readonly exited: Promise<number>
}

/**
 * The one wrapper of node-pty, which is native code and therefore loaded only when a shell is asked for.
 * @throws AgentRefusal FAILED when it could not be compiled where Gate was installed
 */
export async function openTerminal(
  program: string,
  args: readonly string[],
  { rows, columns, term }: TerminalSize & { readonly term: string },
): Promise<Terminal> {
  const { spawn } = await import('node-pty').catch((cause) => {
    const hint = 'node-pty needs a C++ compiler where Gate is built; gatectl backend logs works without it'
    throw new AgentRefusal('FAILED', 'this installation has no support for terminals', hint, { cause })
  })
  const env = { ...childEnvironment(), TERM: term, SYSTEMD_PAGERSECURE: '1' }
  const pty = spawn(program, [...args], { rows, cols: columns, name: term, env, cwd: '/', encoding: null })
  let isOver = false
  let handedOver: Promise<void> = Promise.resolve()
  return {
    onOutput: (take) => {
      pty.onData((bytes) => {
        pty.pause()
        handedOver = handedOver.then(() => take(bytes)).then(() => pty.resume())
      })
    },
    write: (bytes) => {
      if (!isOver) pty.write(bytes)
    },
    resize: (size) => {
      if (!isOver) pty.resize(size.columns, size.rows)
    },
    hangUp: () => {
      if (!isOver) pty.kill('SIGHUP')
    },
    exited: new Promise((resolve) => {
      pty.onExit(({ exitCode, signal }) => {
        isOver = true
        const code = signal === undefined || signal === 0 ? exitCode : 128 + signal
        void handedOver.then(() => resolve(code))
      })
    }),
  }
}
