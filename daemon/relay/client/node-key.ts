import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { codeOf } from '../../../system/error-code.ts'
import { replaceFiles } from '../../../system/replace-files.ts'

/** What a daemon is known by: whoever has the key is the node. */
export type NodeKey = {
  /** PEM of PKCS #8. */
  readonly key: string
  /** DER of the public key (SubjectPublicKeyInfo). */
  readonly spki: Buffer
}

const FILE_MODE = 0o600
const DIRECTORY_MODE = 0o700

/** Where the key of a node is. */
export const nodeKeyFile = (stateDirectory: string): string => join(stateDirectory, 'relay/node.key')

/**
 * The Ed25519 key of this daemon, made at the first call. One that is there and cannot be used is never replaced: names
 * belong to it.
 * @throws Error that names the file
 */
export function openNodeKey(stateDirectory: string): NodeKey {
  const file = nodeKeyFile(stateDirectory)
  const key = readKey(file) ?? makeKey(file)
  const spki = Buffer.from(createPublicKey(key).export({ type: 'spki', format: 'der' }))
  return { key, spki }
}

/** @returns undefined where there is none yet */
function readKey(file: string): string | undefined {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw new Error(`${file} cannot be read (${codeOf(error)}): it has to belong to the account of the daemon`, {
      cause: error,
    })
  }
  if (kindOf(text) === 'ed25519') return text
  throw new Error(`${file} is not an Ed25519 key in PEM: restore it from a backup, or remove it to become another node`)
}

/** OpenSSL's words about a text that is no key could quote it. */
function kindOf(text: string): string | undefined {
  try {
    return createPrivateKey(text).asymmetricKeyType
  } catch {
    return undefined
  }
}

function makeKey(file: string): string {
  const { privateKey } = generateKeyPairSync('ed25519')
  const text = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  replaceFiles([{ file, text, mode: FILE_MODE }], { links: 'replace', parentMode: DIRECTORY_MODE, stagedSuffix: 'new' })
  return text
}
