import type { Readable, Writable } from 'node:stream'

/** What a command line reads from: a terminal, a pipe or a file. */
export type Input = Readable & { readonly isTTY?: boolean; setRawMode?(isRaw: boolean): unknown }

/** What a command line writes to. @see Input */
export type Output = Writable & { readonly isTTY?: boolean; readonly rows?: number; readonly columns?: number }

/** What a command line runs in: the process of bin/gatectl.ts, or whatever a test hands in. */
export type Surroundings = {
  readonly env: Readonly<NodeJS.ProcessEnv>
  readonly stdin: Input
  readonly stdout: Output
  readonly stderr: Output
  readonly isRoot: boolean
}
