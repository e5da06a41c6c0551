import { spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { codeOf, reasonOf } from './problem.ts'

/** A program that has ended. One that is not there gives `NOT_THERE`, as in a shell; one that took too long, 124. */
export type Ran = { readonly code: number; readonly stdout: string; readonly stderr: string }

export const NOT_THERE = 127

export type RunOptions = {
  /** Standard input; never a secret in the arguments, which everybody can read. */
  readonly input?: string
  /** Standard input from a file that is opened here, with our rights. */
  readonly inputFile?: string
  readonly timeoutMs?: number
  /** Gives up as at the time limit. */
  readonly signal?: AbortSignal
}

const DEFAULT_TIMEOUT_MS = 120_000
/** The code of a program that did not end in time; that of timeout(1). */
export const TIMED_OUT = 124
/** A program that says more is cut off there. */
const OUTPUT_MAX = 64 * 2 ** 20

/** Runs a program to its end. Does not throw when it fails, or is not there: its code says so. */
export function runProgram(command: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const [file = '', ...args] = command
  const stdin = options.inputFile === undefined ? undefined : openSync(options.inputFile, 'r')
  // a session of its own: what runs as a backend's user must not reach the terminal of root, and write commands into it
  const child = spawn(file, args, {
    stdio: [stdin ?? 'pipe', 'pipe', 'pipe'],
    cwd: '/',
    env: ENVIRONMENT,
    detached: true,
  })
  if (stdin !== undefined) closeSync(stdin)
  const texts = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const)
    child[name]?.setEncoding('utf8').on('data', (chunk: string) => {
      if (texts[name].length < OUTPUT_MAX) texts[name] += chunk
    })
  child.stdin?.on('error', () => {}) // a program that does not read its input
  child.stdin?.end(options.input ?? '')
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS
  return new Promise((resolve) => {
    const end = (code: number, more = '') => {
      clearTimeout(timer)
      options.signal?.removeEventListener('abort', leave)
      resolve({ ...texts, code, stderr: texts.stderr + more })
    }
    // whoever cannot be killed, or has children that hold its output open, is left behind
    const leave = () => {
      child.kill('SIGKILL')
      for (const stream of [child.stdin, child.stdout, child.stderr]) stream?.destroy()
      child.unref()
      end(TIMED_OUT, `${file}: no end within ${timeoutMs / 1000} s\n`)
    }
    const timer = setTimeout(leave, timeoutMs)
    options.signal?.addEventListener('abort', leave, { once: true })
    child.on('error', (error) => end(codeOf(error) === 'ENOENT' ? NOT_THERE : 126, `${file}: ${reasonOf(error)}\n`))
    child.on('close', (code) => end(code ?? 1))
    if (options.signal?.aborted) leave()
  })
}

/** The same on every host, whoever calls. */
const ENVIRONMENT = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: '/root',
  LC_ALL: 'C.UTF-8',
  SYSTEMD_PAGER: '',
  SYSTEMD_COLORS: '0',
}
