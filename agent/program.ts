import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { AgentRefusal } from './agent-error.ts'

/** What is kept of a program's output; the rest is read and dropped. */
const MOST_OUTPUT_BYTES = 2 ** 20
/** What is kept of its errors, for the caller. */
const MOST_ERROR_BYTES = 4096
/** Between SIGTERM and SIGKILL. */
const GRACE_MS = 2000

export type Finished = { readonly code: number; readonly stdout: string; readonly stderr: string }

/**
 * Runs a program of the host to its end.
 * @param signal ends it
 * @returns what it wrote; a code other than 0 is not an error
 * @throws AgentRefusal FAILED when there is no such program; the signal's reason when that ended it
 */
export async function runProgram(name: string, args: readonly string[], signal: AbortSignal): Promise<Finished> {
  const child = startProgram(name, args)
  const stdout = collect(child.stdout, MOST_OUTPUT_BYTES)
  const stderr = collect(child.stderr, MOST_ERROR_BYTES)
  const code = await ended(child, name, signal)
  return { code, stdout: await stdout, stderr: (await stderr).trim() }
}

/**
 * Runs a program and hands over its lines as they come.
 * @param take gets each line of standard output; with `errors` each of standard error instead
 * @returns as `runProgram`, without the lines that were taken
 */
export async function followProgram(
  name: string,
  args: readonly string[],
  options: { readonly signal: AbortSignal; readonly errors?: boolean; readonly take: (line: string) => Promise<void> },
): Promise<Finished> {
  const child = startProgram(name, args)
  const [taken, other] = options.errors === true ? [child.stderr, child.stdout] : [child.stdout, child.stderr]
  const rest = collect(other, MOST_ERROR_BYTES)
  const finished = ended(child, name, options.signal)
  finished.catch(() => {}) // it is awaited below
  for await (const line of createInterface({ input: taken, crlfDelay: Number.POSITIVE_INFINITY })) {
    if (options.signal.aborted) break
    await options.take(line)
  }
  const code = await finished
  const text = (await rest).trim()
  return options.errors === true ? { code, stdout: text, stderr: '' } : { code, stdout: '', stderr: text }
}

/** Everything a program of the host needs to reach its user's manager, and nothing of ours. */
export function childEnvironment(): Record<string, string> {
  const own = KEPT.flatMap((name) => {
    const value = process.env[name]
    return value === undefined ? [] : [[name, value]]
  })
  return { ...Object.fromEntries(own), LANG: 'C.UTF-8' }
}

const KEPT = [
  'HOME',
  'USER',
  'LOGNAME',
  'PATH',
  'XDG_RUNTIME_DIR',
  'XDG_CONFIG_HOME', // podman takes ~/.config from nobody but its owner, and here that is root
  'DBUS_SESSION_BUS_ADDRESS',
]

type Child = ChildProcessByStdio<null, Readable, Readable>

function startProgram(name: string, args: readonly string[]): Child {
  return spawn(name, args, { stdio: ['ignore', 'pipe', 'pipe'], env: childEnvironment(), cwd: '/' })
}

function ended(child: Child, name: string, signal: AbortSignal): Promise<number> {
  return new Promise((resolve, reject) => {
    let kill: NodeJS.Timeout | undefined
    const stop = () => {
      child.kill('SIGTERM')
      kill = setTimeout(() => child.kill('SIGKILL'), GRACE_MS)
    }
    if (signal.aborted) stop()
    else signal.addEventListener('abort', stop, { once: true })
    const settle = () => {
      signal.removeEventListener('abort', stop)
      clearTimeout(kill)
    }
    child.once('error', (cause) => {
      settle()
      reject(new AgentRefusal('FAILED', `cannot run ${name}: ${cause.message}`, `is ${name} installed?`, { cause }))
    })
    child.once('close', (code) => {
      settle()
      if (signal.aborted) reject(signal.reason)
      else resolve(code ?? 1)
    })
  })
}

async function collect(stream: Readable, mostBytes: number): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    if (bytes < mostBytes) chunks.push(chunk.subarray(0, mostBytes - bytes))
    bytes += chunk.length
  }
  return Buffer.concat(chunks).toString('utf8')
}
