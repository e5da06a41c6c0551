import { mkdir, open, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { codeOf } from '../../system/error-code.ts'
import { replaceFiles } from '../../system/replace-files.ts'
import { failure } from '../failure.ts'
import { type Credentials, readCredentials } from './credentials.ts'

/** Who refreshes a token is done in seconds; a lock that is older is of a process that was killed. */
const LOCK_LIFE_MS = 60_000
const LOCK_STEP_MS = 50

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
