import { randomBytes } from 'node:crypto'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { codeOf } from '../../system/error-code.ts'
import { replaceFiles } from '../../system/replace-files.ts'
import { keyFile, type MasterKey, type MasterKeySources, makeKeyFile, masterKeys, readKeyFile } from './master-key.ts'
import { KEY_BYTES, type SealingKey, seal, unseal } from './sealed.ts'

/** A key of the ring. `isFirst`: it sealed the layout without ids. */
export type RingKey = SealingKey & { readonly madeAt: number; readonly isFirst: boolean }

/** The keys that seal, the current one last, and what wraps them in the file. */
export type Ring = { readonly salt: Buffer; readonly master: MasterKey; readonly keys: readonly RingKey[] }

type Written = {
  readonly version: 1
  readonly salt: string
  readonly keys: readonly {
    readonly id: string
    readonly made_at: number
    readonly first?: true
    readonly wrapped: string
  }[]
}

const NAME = 'keyring.json'
const SALT_BYTES = 16
const ID_BYTES = 8

/**
 * Reads the keyring of a state directory, made the first time. It is wrapped with the strongest master key that there
 * is: one that was wrapped with another is written again, and the file `sealing.key` goes when it is no longer needed.
 * @param now Unix milliseconds
 * @throws Error that says what to do, when no master key opens it, or it cannot be read or written
 */
export function openRing(sources: MasterKeySources, now: () => number): Ring {
  const { stateDirectory } = sources
  const masters = masterKeys(sources)
  const written = readRing(stateDirectory)
  if (written === null) return made(sources, masters, now)
  const salt = Buffer.from(written.salt, 'hex')
  for (const [index, master] of masters.entries()) {
    const keys = unwrapped(written, master.wrappingKey(salt))
    if (keys === null) continue
    if (index === 0) return { salt, master, keys }
    return rewrapped(stateDirectory, { salt, master, keys }, masters[0] ?? master)
  }
  const tried = masters.length === 0 ? 'there is none' : `tried: ${masters.map(({ from }) => from).join(', ')}`
  throw new Error(
    `${ringFile(stateDirectory)} opens with another key than there is (${tried}); set secrets.encryption_key, or secrets.previous_key, to the one that it was written with`,
  )
}

/** The ring as it is, where it cannot be written now. */
function rewrapped(stateDirectory: string, ring: Ring, master: MasterKey): Ring {
  try {
    writeRing(stateDirectory, { ...ring, master })
    if (master.from !== 'file') rmSync(keyFile(stateDirectory), { force: true })
    return { ...ring, master }
  } catch {
    return ring
  }
}

const ringFile = (stateDirectory: string): string => join(stateDirectory, NAME)

/** Writes it whole, or not at all. @throws the system's error */
export function writeRing(stateDirectory: string, { salt, master, keys }: Ring): void {
  const wrapping = { id: '0'.repeat(2 * ID_BYTES), bytes: master.wrappingKey(salt) }
  const written: Written = {
    version: 1,
    salt: salt.toString('hex'),
    keys: keys.map(({ id, madeAt, isFirst, bytes }) => ({
      id,
      made_at: madeAt,
      ...(isFirst ? { first: true } : {}),
      wrapped: seal(wrapping, ['keyring', id, String(isFirst)], bytes.toString('hex')).toString('base64'),
    })),
  }
  const text = `${JSON.stringify(written, null, 2)}\n`
  replaceFiles([{ file: ringFile(stateDirectory), text, mode: 0o600 }], { links: 'replace', stagedSuffix: '-new' })
}

export function newRingKey(now: () => number): RingKey {
  return {
    id: randomBytes(ID_BYTES).toString('hex'),
    bytes: randomBytes(KEY_BYTES),
    madeAt: now(),
    isFirst: false,
  }
}

function made(sources: MasterKeySources, masters: readonly MasterKey[], now: () => number): Ring {
  const { stateDirectory, credentialsDirectory } = sources
  const directories = [credentialsDirectory, stateDirectory].filter((directory) => directory !== undefined)
  const before = directories.map((directory) => readKeyFile(keyFile(directory))).find((key) => key !== null)
  const [master = makeKeyFile(stateDirectory)] = masters
  const current = newRingKey(now)
  const first: RingKey[] = before === undefined ? [] : [{ ...newRingKey(now), bytes: before, isFirst: true }]
  const ring = { salt: randomBytes(SALT_BYTES), master, keys: [...first, current] }
  writeRing(stateDirectory, ring)
  if (master.from !== 'file') rmSync(keyFile(stateDirectory), { force: true })
  return ring
}

/** Null when there is none yet. @throws Error */
function readRing(stateDirectory: string): Written | null {
  const file = ringFile(stateDirectory)
  try {
    const written: unknown = JSON.parse(readFileSync(file, 'utf8'))
    if (isWritten(written)) return written
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null
    if (!(error instanceof SyntaxError)) throw error
  }
  throw new Error(`${file} is damaged; restore it from a backup: without it nothing that was sealed can be read`)
}

function isWritten(value: unknown): value is Written {
  if (typeof value !== 'object' || value === null) return false
  const { version, salt, keys } = value as Partial<Written>
  if (version !== 1 || typeof salt !== 'string' || !Array.isArray(keys) || keys.length === 0) return false
  return keys.every(
    (key: Partial<Written['keys'][number]>) =>
      /^[0-9a-f]{16}$/.test(String(key.id)) && typeof key.made_at === 'number' && typeof key.wrapped === 'string',
  )
}

/** Null when it is not the key that wrapped them. */
function unwrapped({ keys }: Written, wrappingKey: Buffer): RingKey[] | null {
  const opened = keys.map(({ id, made_at: madeAt, first, wrapped }): RingKey | null => {
    const isFirst = first === true
    const hex = unseal(wrappingKey, ['keyring', id, String(isFirst)], Buffer.from(wrapped, 'base64'))
    return hex === null ? null : { id, bytes: Buffer.from(hex, 'hex'), madeAt, isFirst }
  })
  return opened.some((key) => key === null) ? null : opened.filter((key) => key !== null)
}
