import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { codeOf } from '../../system/error-code.ts'
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
