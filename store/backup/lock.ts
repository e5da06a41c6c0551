import {
  argon2,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
  randomBytes,
} from 'node:crypto'
import { promisify } from 'node:util'
import { BackupError, PREFIX_BYTES, type StreamKey } from './chunks.ts'

/** What a backup is locked with: a passphrase, or an X25519 key whose private half is elsewhere. PEM texts. */
export type Lock = { readonly passphrase: string } | { readonly recipient: string }
/** What opens it. */
export type Unlock = { readonly passphrase: string } | { readonly identity: string }

/** The first line of a file; the second is a Header as JSON. */
export const MAGIC = 'gate-backup 1\n'
export const LONGEST_HEADER = 4_096

type Header = {
  /** Of the nonces, hex. */
  readonly prefix: string
} & (
  | { readonly kind: 'passphrase'; readonly salt: string; readonly memory: number; readonly passes: number }
  | { readonly kind: 'recipient'; readonly ephemeral: string }
)

const KEY_BYTES = 32
const PARALLELISM = 4
/** @see RFC 9106 section 4, the second recommended option */
const COST = { memory: 65_536, passes: 3 } as const
/** A file says itself what it costs to open: more than this is a trap. */
const MOST_COST = { memory: 2 ** 20, passes: 16 } as const

const derive = promisify(argon2)

/** The beginning of a file, and the key for the rest. @throws BackupError for a recipient that is no X25519 key */
export async function locked(lock: Lock): Promise<{ readonly head: Buffer; readonly key: StreamKey }> {
  const prefix = randomBytes(PREFIX_BYTES)
  const { header, secret } = 'passphrase' in lock ? await byPassphrase(lock.passphrase) : byRecipient(lock.recipient)
  const head = Buffer.from(`${MAGIC}${JSON.stringify({ ...header, prefix: prefix.toString('hex') })}\n`)
  return { head, key: { key: streamKey(secret, head), prefix } }
}

/** @param head as `locked` made it @throws BackupError when it is none, or of another kind */
export async function unlocked(head: Buffer, unlock: Unlock): Promise<StreamKey> {
  const header = headerOf(head)
  const secret = await secretOf(header, unlock)
  return { key: streamKey(secret, head), prefix: Buffer.from(header.prefix, 'hex') }
}

/** An X25519 key for backups, PEM. */
export function newIdentity(): { readonly identity: string; readonly recipient: string } {
  const { privateKey, publicKey } = generateKeyPairSync('x25519')
  const identity = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  return { identity, recipient: publicKey.export({ type: 'spki', format: 'pem' }).toString() }
}

/** What the file says of itself is part of the key, so that nothing of it can be changed. */
function streamKey(secret: Buffer, head: Buffer): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, head, 'gate backup', KEY_BYTES))
}

type Unprefixed = Header extends infer H ? (H extends unknown ? Omit<H, 'prefix'> : never) : never

async function byPassphrase(passphrase: string): Promise<{ header: Unprefixed; secret: Buffer }> {
  const salt = randomBytes(16)
  const secret = await stretched(passphrase, salt, COST)
  return { header: { kind: 'passphrase', salt: salt.toString('hex'), ...COST }, secret }
}

function byRecipient(pem: string): { header: Unprefixed; secret: Buffer } {
  const recipient = keyOf(() => createPublicKey(pem), 'recipient')
  const own = generateKeyPairSync('x25519')
  const secret = shared(own.privateKey, recipient)
  const ephemeral = own.publicKey.export({ type: 'spki', format: 'der' }).toString('base64')
  return { header: { kind: 'recipient', ephemeral }, secret }
}

async function secretOf(header: Header, unlock: Unlock): Promise<Buffer> {
  if (header.kind === 'passphrase') {
    if (!('passphrase' in unlock)) throw new BackupError('key', 'it is locked with a passphrase, not with a key')
    return stretched(unlock.passphrase, Buffer.from(header.salt, 'hex'), header)
  }
  if (!('identity' in unlock)) throw new BackupError('key', 'it is locked for a key, not with a passphrase')
  const identity = keyOf(() => createPrivateKey(unlock.identity), 'identity')
  const der = { key: Buffer.from(header.ephemeral, 'base64'), type: 'spki', format: 'der' } as const
  return shared(
    identity,
    keyOf(() => createPublicKey(der), 'recipient'),
  )
}

/** Of both public keys, too: the same secret never serves two recipients. */
function shared(privateKey: KeyObject, publicKey: KeyObject): Buffer {
  return diffieHellman({ privateKey, publicKey })
}

function stretched(passphrase: string, nonce: Buffer, { memory, passes }: { memory: number; passes: number }) {
  const cost = { memory, passes, parallelism: PARALLELISM, tagLength: KEY_BYTES }
  return derive('argon2id', { message: passphrase, nonce, ...cost })
}

function keyOf(read: () => KeyObject, what: 'recipient' | 'identity'): KeyObject {
  try {
    const key = read()
    if (key.asymmetricKeyType === 'x25519') return key
  } catch {
    // not PEM at all
  }
  const half = what === 'recipient' ? 'public' : 'private'
  throw new BackupError('key', `the ${what} is not the ${half} half of an X25519 key, as "gatectl backup key" makes it`)
}

function headerOf(head: Buffer): Header {
  const [magic, line = ''] = head.toString('latin1').split(/(?<=\n)/)
  if (magic !== MAGIC) throw new BackupError('format', 'it is not a backup that gatectl made')
  try {
    const header: unknown = JSON.parse(line)
    if (isHeader(header)) return header
  } catch {
    // damaged
  }
  throw new BackupError('damaged', 'the beginning of the file is damaged')
}

function isHeader(value: unknown): value is Header {
  if (typeof value !== 'object' || value === null) return false
  const header: Partial<Record<string, unknown>> = { ...value }
  if (!/^[0-9a-f]{14}$/.test(String(header['prefix']))) return false
  if (header['kind'] === 'recipient') return typeof header['ephemeral'] === 'string'
  const { memory, passes } = header
  return (
    header['kind'] === 'passphrase' &&
    /^[0-9a-f]{32}$/.test(String(header['salt'])) &&
    isWithin(memory, MOST_COST.memory) &&
    isWithin(passes, MOST_COST.passes)
  )
}

const isWithin = (value: unknown, most: number): boolean =>
  typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= most
