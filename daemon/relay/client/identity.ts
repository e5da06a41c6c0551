import { createPrivateKey, sign } from 'node:crypto'
import { nodeIdOf } from '../protocol.ts'
import type { NodeKey } from './node-key.ts'

/** A node as relays and other nodes see it. */
export type NodeIdentity = {
  readonly nodeId: string
  /** PEM. */
  readonly key: string
  /** PEM: the key, signed by itself. */
  readonly cert: string
  readonly sign: (bytes: Buffer) => Buffer
}

export async function nodeIdentity({ key, spki }: NodeKey): Promise<NodeIdentity> {
  // what writes certificates takes memory that most daemons need not spend
  const { nodeCertificate } = await import('../../../pki/node-certificate.ts')
  const nodeId = nodeIdOf(spki)
  const privateKey = createPrivateKey(key)
  return { nodeId, key, cert: await nodeCertificate(key, nodeId), sign: (bytes) => sign(null, bytes, privateKey) }
}
