import type { AdminClient } from './client.ts'
import type { CommandText } from './command.ts'
import type { Surroundings } from './surroundings.ts'

/** What a command is given. */
export type Invocation = Surroundings & {
  readonly arguments: readonly string[]
  /** An option of type string. */
  text(name: string): string | undefined
  /** An option that may be given more than once, in the order given. */
  texts(name: string): readonly string[]
  /** Whether an option of type boolean was given. */
  flag(name: string): boolean
  /** Whether JSON was asked for. */
  readonly json: boolean
  readonly admin: AdminClient
  /** All that gatectl can do, for the completions. */
  readonly commands: readonly CommandText[]
  /** Writes a line to standard output. */
  print(line: string): void
  /** Writes a value to standard output as one line of JSON that is safe on a terminal. */
  printJson(value: unknown): void
  /** Writes a line to standard error: what is not the answer itself. */
  note(line: string): void
}

/** @returns an ExitCode; `backend shell` alone hands on the code of another program */
export type Run = (invocation: Invocation) => Promise<number>

/** A row of a table of commands. */
export type Command = CommandText & {
  /** Imports the module of this command, when it runs. */
  readonly load: () => Promise<{ readonly run: Run }>
}
