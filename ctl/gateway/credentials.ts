import { readFileSync } from 'node:fs'
import { mkdir, open, rm, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { codeOf } from '../../system/error-code.ts'
import { replaceFiles } from '../../system/replace-files.ts'
import { failure, unreadable } from '../failure.ts'

/** What gatectl has of one gateway. Times are Unix milliseconds. */
export type GatewayCredential = {
  readonly access_token: string
  readonly refresh_token: string
  readonly expires_at: number
  readonly token_endpoint: string
  readonly revocation_endpoint: string
  /** Of the person who let it in. */
  readonly account: string
  /** A file with certificates that are trusted beside those of the system. */
  readonly ca?: string
}

/** The gateways that this user is signed in to, by their URL. `current`: where commands go that name none. */
export type Credentials = {
  readonly current: string | null
  readonly gateways: Readonly<Record<string, GatewayCredential>>
}

const NOTHING: Credentials = { current: null, gateways: {} }
/** Who refreshes a token is done in seconds; a lock that is older is of a process that was killed. */
const LOCK_LIFE_MS = 60_000
const LOCK_STEP_MS = 50

/** Where they are kept: only this user may read it. */
export function credentialsFile(env: Readonly<NodeJS.ProcessEnv>): string {
  const folder = env['XDG_CONFIG_HOME'] || join(env['HOME'] || homedir(), '.config')
  return join(folder, 'gate', 'gateways.json')
}

/** @throws Failure FILE_UNREADABLE */
export function readCredentials(file: string): Credentials {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return NOTHING
    return unreadable(file, error as NodeJS.ErrnoException)
  }
  const read = parsed(text)
  if (read !== null) return read
  throw failure('FILE_UNREADABLE', `${file}: is damaged`, { hint: 'remove it, then sign in again: gatectl login URL' })
}

function parsed(text: string): Credentials | null {
  try {
    const value: unknown = JSON.parse(text)
    const isWhole = typeof value === 'object' && value !== null && 'gateways' in value && 'current' in value
    return isWhole && typeof value.gateways === 'object' && value.gateways !== null ? (value as Credentials) : null
  } catch {
    return null
  }
}

/**
 * Changes them while no other gatectl does: two that refresh one token at the same time would end the sign-in.
 * @throws Failure FILE_NOT_WRITTEN
 */
export async function changeCredentials(
  file: string,
  change: (before: Credentials) => Credentials | Promise<Credentials>,
): Promise<Credentials> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  const lock = `${file}.lock`
  await locked(lock)
  try {
    const next = await change(readCredentials(file))
    write(file, next)
    return next
  } finally {
    await rm(lock, { force: true })
  }
}

function write(file: string, credentials: Credentials): void {
  try {
    const text = `${JSON.stringify(credentials, null, 2)}\n`
    replaceFiles([{ file, text, mode: 0o600 }], { links: 'follow', stagedSuffix: '-new' })
  } catch (cause) {
    throw failure('FILE_NOT_WRITTEN', `${file}: cannot be written (${codeOf(cause)})`, { cause })
  }
}

async function locked(lock: string): Promise<void> {
  for (;;) {
    try {
      await (await open(lock, 'wx', 0o600)).close()
      return
    } catch (cause) {
      if (codeOf(cause) !== 'EEXIST')
        throw failure('FILE_NOT_WRITTEN', `${lock}: cannot be written (${codeOf(cause)})`, { cause })
    }
    const made = await stat(lock).catch(() => null)
    if (made !== null && Date.now() - made.mtimeMs > LOCK_LIFE_MS) await rm(lock, { force: true })
    else await wait(LOCK_STEP_MS)
  }
}
