import { codeOf } from '../system/error-code.ts'
import { type ProgramOptions, runToEnd } from '../system/program.ts'
import { reasonOf } from './problem.ts'

/**
 * A program that has ended. One that is not there gives `NOT_THERE`, as in a shell; one that took too long,
 * `TIMED_OUT`.
 */
export type Ran = { readonly code: number; readonly stdout: string; readonly stderr: string }

export const NOT_THERE = 127
/** That of timeout(1). */
export const TIMED_OUT = 124
const NOT_STARTED = 126

export type RunOptions = {
  /** Standard input; never a secret in the arguments, which every user can read. */
  readonly input?: string
  /** Standard input from a file that is opened here, with our rights. */
  readonly inputFile?: string
  /** Standard output goes to this open file. */
  readonly outputTo?: number
  readonly timeoutMs?: number
  /** Gives up as at the time limit. */
  readonly signal?: AbortSignal
  /** Takes one stream line by line, while the program runs; nothing of it is in the result. */
  readonly take?: NonNullable<ProgramOptions['take']>
}

const DEFAULT_TIMEOUT_MS = 120_000
/** A program that says more is cut off there. */
const OUTPUT_MAX_BYTES = 64 * 2 ** 20

/** Runs a program to its end. Does not throw when it fails, or is not there: its code says so. */
export async function runProgram(command: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS
  const ended = await runToEnd(command, {
    ...options,
    env: ENVIRONMENT,
    stdoutMaxBytes: OUTPUT_MAX_BYTES,
    stderrMaxBytes: OUTPUT_MAX_BYTES,
    timeoutMs,
    graceMs: 0,
    ownSession: true,
  })
  switch (ended.kind) {
    case 'exited':
      return { code: ended.code, stdout: ended.stdout, stderr: ended.stderr }
    case 'cut-off': {
      const stderr = `${ended.stderr}${command[0]}: no end within ${timeoutMs / 1000} s\n`
      return { code: TIMED_OUT, stdout: ended.stdout, stderr }
    }
    case 'not-started': {
      const code = codeOf(ended.cause) === 'ENOENT' ? NOT_THERE : NOT_STARTED
      return { code, stdout: '', stderr: `${command[0]}: ${reasonOf(ended.cause)}\n` }
    }
  }
}

/** The same on every host and for every caller. */
const ENVIRONMENT = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: '/root',
  LC_ALL: 'C.UTF-8',
  SYSTEMD_PAGER: '',
  SYSTEMD_COLORS: '0',
}
