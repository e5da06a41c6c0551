import { closeSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { sh } from '../../../syntax/shell/print.ts'
import { codeOf } from '../../../system/error-code.ts'
import { makeDirectories } from '../../../system/replace-files.ts'
import { failure } from '../../failure.ts'
import type { Invocation } from '../../invocation.ts'
import { readNamed } from '../spec/named-file.ts'

/** Where a client's key is kept when no other file is named. */
export const defaultKeyFile = (home: string, client: string): string => join(home, '.config/gate/keys', client)

/** The key in the file; undefined when it is not there. @throws Failure FILE_UNREADABLE */
export function keyIn(file: string): string | undefined {
  let key: string
  try {
    key = readNamed(file).trim()
  } catch (error) {
    if (error instanceof Error && codeOf(error.cause) === 'ENOENT') return undefined
    throw error
  }
  if (/^[\x21-\x7e]+$/.test(key)) return key
  throw failure('FILE_UNREADABLE', `${file}: is not a key on one line`, { hint: 'gatectl token create prints one' })
}

/**
 * Makes a key that may do what a client needs and keeps it in a new file that only this user may read.
 * @throws Failure FILE_EXISTS, FILE_NOT_WRITTEN, or why the daemon makes no key
 */
export async function makeKey(admin: Invocation['admin'], client: string, file: string): Promise<string> {
  const descriptor = created(file) // before the key is made: it is shown only once
  try {
    // its configuration has it say who its users are
    const users = client === 'open-webui' ? { names_users: true } : {}
    const body = { name: client, scopes: ['chat:read', 'chat:write'], ...users }
    const { token } = await admin.ask('POST /api/admin/keys', { body })
    writeFileSync(descriptor, `${token}\n`)
    return token
  } catch (error) {
    rmSync(file, { force: true })
    throw error
  } finally {
    closeSync(descriptor)
  }
}

/** Keeps a word where a client wants a key and the gateway none. */
export function keepNoKey(file: string): void {
  const descriptor = created(file)
  writeFileSync(descriptor, 'the-gateway-needs-no-key\n')
  closeSync(descriptor)
}

function created(file: string): number {
  try {
    makeDirectories(dirname(file), 0o700)
    return openSync(file, 'wx', 0o600)
  } catch (error) {
    if (codeOf(error) !== 'EEXIST')
      throw failure('FILE_NOT_WRITTEN', `${file}: cannot be written (${codeOf(error)})`, { cause: error })
    const hint = `leave out --new-key to use the key in it, or revoke that one and ${sh`rm ${file}`}`
    throw failure('FILE_EXISTS', `${file} already exists`, { hint })
  }
}
