import { randomBytes } from 'node:crypto'
import { makeRoot } from '../../pki/ca/authority.ts'
import { issueLeaf } from '../../pki/ca/leaf.ts'
import type { CertificateAndKey } from '../../pki/ca/signing.ts'

/** Files of the internal CA that a proxy reads, and that the first apply makes after its configuration was checked. */
const SERVED = /\/var\/lib\/gate[a-z0-9-]*-ca\/proxy\.(crt|key)(?![\w.])/g

/** A text that names those files, with the ones of a scratch directory in their place. */
export const withStandIns = (text: string, scratch: string): string => text.replaceAll(SERVED, `${scratch}/proxy.$1`)

export const namesServed = (text: string): boolean => text.search(SERVED) !== -1

/** A certificate and its key that nobody trusts, for programs that check whether they can read some. */
export async function standIn(nowMs: number): Promise<CertificateAndKey> {
  const name = 'stand-in.invalid'
  const root = await makeRoot(name, { domains: [name], addresses: [] }, nowMs, randomBytes)
  return await issueLeaf(root, [name], nowMs, randomBytes)
}
