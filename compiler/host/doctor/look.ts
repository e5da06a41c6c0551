import { spawn } from 'node:child_process'
import { readdir, readFile, stat, statfs } from 'node:fs/promises'

/** What looking at a place of the file system gave. `denied`: it may be there, but not for this caller. */
export type Seen<T> = { readonly kind: 'seen'; readonly value: T } | { readonly kind: 'absent' | 'denied' }

export const readText = (path: string): Promise<Seen<string>> => look(readFile(path, 'utf8'))
export const statPath = (path: string) => look(stat(path))
export const statFileSystem = (path: string) => look(statfs(path))

/** The text of a file, or nothing where there is none to be read. */
export async function textOf(path: string): Promise<string> {
  const seen = await readText(path)
  return seen.kind === 'seen' ? seen.value : ''
}

/** The names in a directory, or none. */
export async function namesIn(path: string): Promise<readonly string[]> {
  const seen = await look(readdir(path))
  return seen.kind === 'seen' ? seen.value.sort() : []
}

async function look<T>(reading: Promise<T>): Promise<Seen<T>> {
  try {
    return { kind: 'seen', value: await reading }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'ENOENT' || code === 'ENOTDIR') return { kind: 'absent' }
    if (code === 'EACCES' || code === 'EPERM') return { kind: 'denied' }
    throw error
  }
}

/** A program that has ended. A program that is not there gives `NOT_THERE`, as in a shell. */
export type Ran = { readonly code: number; readonly stdout: string; readonly stderr: string }

export const NOT_THERE = 127

const MOST_OUTPUT_BYTES = 4 * 2 ** 20
// a user's PATH often has no sbin, and must not decide what runs as root
const ENVIRONMENT = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LANG: 'C.UTF-8' }

/**
 * Runs a program without a shell, and reads what it writes.
 * @param signal kills it; one that cannot be killed (waiting for a dead disk) is left behind
 * @throws the signal's reason
 */
export async function runProgram([file = '', ...args]: readonly string[], signal: AbortSignal): Promise<Ran> {
  signal.throwIfAborted()
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'], env: ENVIRONMENT, cwd: '/' })
  const ended = Promise.withResolvers<Ran>()
  const leave = () => {
    child.kill('SIGKILL')
    for (const stream of [child.stdout, child.stderr]) stream.destroy()
    child.unref()
    ended.reject(signal.reason)
  }
  signal.addEventListener('abort', leave, { once: true })
  const output = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (text: string) => {
      if (output[name].length < MOST_OUTPUT_BYTES) output[name] += text
    })
  child.once('error', (error: NodeJS.ErrnoException) => {
    ended.resolve({ code: error.code === 'ENOENT' ? NOT_THERE : 126, stdout: '', stderr: error.message })
  })
  child.once('close', (code) => ended.resolve({ code: code ?? 1, ...output }))
  try {
    return await ended.promise
  } finally {
    signal.removeEventListener('abort', leave)
  }
}

/** What a program wrote; nothing when there is no such program or it failed. */
export async function outputOf(argv: readonly string[], signal: AbortSignal): Promise<string> {
  const ran = await runProgram(argv, signal)
  return ran.code === 0 ? ran.stdout : ''
}
