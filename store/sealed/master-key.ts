import { argon2Sync, hkdfSync, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { codeOf } from '../../system/error-code.ts'
import { replaceFiles } from '../../system/replace-files.ts'
import { KEY_BYTES } from './sealed.ts'

/** A master key opens the keyring, which holds the keys that seal. */
export type MasterKey = {
  readonly from: 'credential' | 'configuration' | 'previous' | 'file'
  /** @param salt of the keyring */
  readonly wrappingKey: (salt: Buffer) => Buffer
}

/** Where master keys come from. */
export type MasterKeySources = {
  readonly stateDirectory: string
  readonly credentialsDirectory: string | undefined
  /** What is configured, asked for when the keyring is opened. */
  readonly texts: () => {
    /** `secrets.encryption_key`: 64 hexadecimal digits, 32 bytes in base64, or a passphrase. */
    readonly configured: string | undefined
    /** `secrets.previous_key`: what it was before. */
    readonly previous: string | undefined
  }
}

const NAME = 'sealing.key'
const HEX = new RegExp(`^[0-9a-fA-F]{${2 * KEY_BYTES}}$`)
const BASE64 = /^[A-Za-z0-9+/]{43}=$/

/** @see RFC 9106 section 4, the second recommended option */
const PASSPHRASE = { memory: 65_536, passes: 3, parallelism: 4 } as const

export const keyFile = (directory: string): string => join(directory, NAME)

/**
 * The master keys that there are, the one to use first: the systemd credential `sealing.key`, the configured one, the
 * one before it, and the file `sealing.key` in the state directory.
 * @throws Error that names the file, when it cannot be read or holds something else
 */
export function masterKeys(sources: MasterKeySources): MasterKey[] {
  const { credentialsDirectory } = sources
  const { configured, previous } = sources.texts()
  const credential = credentialsDirectory === undefined ? null : readKeyFile(keyFile(credentialsDirectory))
  const file = readKeyFile(keyFile(sources.stateDirectory))
  return [
    ...(credential === null ? [] : [masterKey('credential', () => credential)]),
    ...(configured === undefined ? [] : [masterKey('configuration', (salt) => keyOfText(configured, salt))]),
    ...(previous === undefined ? [] : [masterKey('previous', (salt) => keyOfText(previous, salt))]),
    ...(file === null ? [] : [masterKey('file', () => file)]),
  ]
}

/** Makes the file `sealing.key`, mode 0600: never half of one, which a full disk or a kill would leave. */
export function makeKeyFile(stateDirectory: string): MasterKey {
  const key = randomBytes(KEY_BYTES)
  const text = `${key.toString('hex')}\n`
  replaceFiles([{ file: keyFile(stateDirectory), text, mode: 0o600 }], { links: 'replace', stagedSuffix: '-new' })
  return masterKey('file', () => key)
}

/** Null when there is no such file. @throws Error */
export function readKeyFile(file: string): Buffer | null {
  let text: string
  try {
    text = readFileSync(file, 'latin1').trim()
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null
    throw error
  }
  if (!HEX.test(text)) throw new Error(`${file} must hold ${2 * KEY_BYTES} hexadecimal digits, and nothing else`)
  return Buffer.from(text, 'hex')
}

function masterKey(from: MasterKey['from'], keyOf: (salt: Buffer) => Buffer): MasterKey {
  // the key of the file has sealed texts itself, in the first layout
  const wrappingKey = (salt: Buffer) => Buffer.from(hkdfSync('sha256', keyOf(salt), salt, 'gate keyring', KEY_BYTES))
  return { from, wrappingKey }
}

function keyOfText(text: string, salt: Buffer): Buffer {
  if (HEX.test(text)) return Buffer.from(text, 'hex')
  if (BASE64.test(text)) return Buffer.from(text, 'base64')
  return argon2Sync('argon2id', { message: text, nonce: salt, tagLength: KEY_BYTES, ...PASSPHRASE })
}
