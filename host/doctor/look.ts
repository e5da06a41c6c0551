import { lstat, readdir, readFile, readlink, stat, statfs } from 'node:fs/promises'
import type { Deployment } from '../../compiler/ir/deployment.ts'
import { type Accounts, readAccounts } from '../accounts.ts'
import { localHost } from '../host.ts'
import type { Ran } from '../program.ts'

/*
 * Beside HostView: the doctor must tell what it may not see from what is not there, needs owners, devices and free
 * space, and must not wait for a file system that is dead.
 */

/** What looking at a place of the file system gave. `denied`: it may be there, but not for this caller. */
export type Seen<T> = { readonly kind: 'seen'; readonly value: T } | { readonly kind: 'absent' | 'denied' }

export const readText = (path: string): Promise<Seen<string>> => look(readFile(path, 'utf8'))
export const statPath = (path: string) => look(stat(path))
/** Of a link itself, not of what it leads to. */
export const lstatPath = (path: string) => look(lstat(path))
export const linkTarget = (path: string): Promise<Seen<string>> => look(readlink(path))
export const statFileSystem = (path: string) => look(statfs(path))

/** The text of a file, or nothing where there is none to be read. */
export async function textOf(path: string): Promise<string> {
  const seen = await readText(path)
  return seen.kind === 'seen' ? seen.value : ''
}

/**
 * The daemon's runtime configuration, or nothing: its directory is the daemon's, which root does not let itself be led
 * by.
 */
export const runtimeConfigText = (stateDirectory: string): string | undefined =>
  localHost().readUntrusted(stateDirectory, 'config.toml')

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

/** Runs a program without a shell. What does not end before the signal is killed, or abandoned: code 124. */
export function runProgram(command: readonly string[], signal: AbortSignal): Promise<Ran> {
  return localHost().ask(command, { signal })
}

/** What a program wrote; nothing when there is no such program or it failed. */
export async function outputOf(command: readonly string[], signal: AbortSignal): Promise<string> {
  const ran = await runProgram(command, signal)
  return ran.code === 0 ? ran.stdout : ''
}

/** The accounts of this host. Gate's are always in its files; others may come from elsewhere. */
export const readHostAccounts = (): Accounts => readAccounts(localHost())

/** Users of a deployment that exist. What the others lack follows from that, and is one line of the check `users`. */
export function presentUsers(deployment: Pick<Deployment, 'users'> | undefined): Deployment['users'] {
  const { users } = readHostAccounts()
  return (deployment?.users ?? []).filter(({ name }) => users.has(name))
}
