import { createHash } from 'node:crypto'
import { z } from 'zod'

/**
 * What a node (a daemon) and a relay say to each other.
 *
 * The node dials `relay.<domain>` by TLS 1.3 with this ALPN and a self-signed certificate of its Ed25519 key, of which
 * nothing but the key counts. Above it the relay is the client of HTTP/2 and the node its server. The first stream is
 * `POST /control`: frames both ways, for as long as the tunnel lives. The node says `hello` first, the relay answers
 * `welcome` or `error`. Each visitor is a stream `CONNECT` with the headers of VISITOR, on which the ClientHello
 * follows without waiting for an answer: 200, or 421 (not mine), 429, 503 (draining). The end of one side is
 * END_STREAM, a reset is RST_STREAM. Node ends a stream before it resets it, both at once: who sees an end looks one
 * turn later (`setImmediate`) whether it was a reset.
 */
export const ALPN = 'gate-relay/1'

/** Between two relays of one domain; both show their Ed25519 keys, and only CONNECT with `gate-hops: 1` is spoken. */
export const HOP_ALPN = 'gate-relay-hop/1'

export const PROTO = 1

/** Features of this version; what the other side calls critical has to be among them. */
export const FEATURES = ['claim', 'txt'] as const

export const CONTROL_PATH = '/control'

/** Headers of a visitor's stream, beside `:authority` with the server name. */
export const VISITOR = {
  /** Address and port of the visitor, IPv6 in brackets; believed by nodes only since the tunnel is authenticated. */
  source: 'gate-src',
  /** Address and port that the visitor has reached. */
  target: 'gate-dst',
  /** Id of the relay that took the visitor. */
  relay: 'gate-relay',
  /** Id of the connection, for logs of both. */
  connection: 'gate-conn',
  /** How many relays passed it on to another; at most 1. */
  hops: 'gate-hops',
} as const

/** What both ends of a tunnel tell HTTP/2; a window of less is slow where packets take long. */
export const TUNNEL_SETTINGS = {
  initialWindowSize: 2 ** 20,
  maxFrameSize: 2 ** 16,
  maxConcurrentStreams: 4_096,
  maxHeaderListSize: 8_192,
  enablePush: false,
} as const

/** Of the whole connection, for `session.setLocalWindowSize`. */
export const TUNNEL_WINDOW_BYTES = 16 * 2 ** 20

/**
 * In MB, for `maxSessionMemory`: Node refuses new streams once all streams together hold more, so that ten stalled
 * visitors would lock out all others. Both sides bound what they hold themselves.
 */
export const TUNNEL_SESSION_MEMORY = 4_096

/**
 * For the side that visitors are brought to: a visitor that leaves resets its stream, and Node ends the whole connection,
 * with all other visitors, after 1,000 of them, 33 a second. These are more than a relay can bring.
 */
export const TUNNEL_RESETS = { streamResetBurst: 100_000, streamResetRate: 10_000 } as const

/** Both sides ask each other; a side that hears nothing for twice as long is gone. */
export const PING_EVERY_MS = 15_000

/** RFC 8446 section 7.5: what both ends of one connection, and no others, know. */
export const EXPORTER = { label: 'EXPORTER-gate-relay-claim', bytes: 32 } as const

const NODE_ID = /^[a-z2-7]{32}$/
const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567'
const ID_BYTES = 20

/** Name of a key. @param spki DER of the public key. @returns 32 characters, lower case: 160 bits of its SHA-256 */
export function nodeIdOf(spki: Buffer): string {
  let text = ''
  let [bits, held] = [0, 0]
  for (const byte of createHash('sha256').update(spki).digest().subarray(0, ID_BYTES)) {
    bits = (bits << 8) | byte
    held += 8
    while (held >= 5) {
      held -= 5
      text += BASE32[(bits >> held) & 31]
    }
    bits &= (1 << held) - 1
  }
  return text
}

export const isNodeId = (text: string): boolean => NODE_ID.test(text)

/** What the key of a claim signs. @param exporter of the tunnel, see EXPORTER */
export function claimBytes(exporter: Buffer, claim: { readonly name: string; readonly nodeId: string }): Buffer {
  const { name, nodeId } = claim
  return Buffer.concat([Buffer.from('gate-relay claim v1\0'), exporter, Buffer.from(JSON.stringify({ name, nodeId }))])
}

const word = z.string().max(64)
const hostName = z.string().max(253)
/** A whole name, lower case: it becomes part of a path where its certificate is kept. */
const servedName = hostName.regex(/^(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/)
const features = z.array(word).max(64).default([])
const id = z.int().min(0)
const base64url = z
  .string()
  .max(1_024)
  .regex(/^[\w-]+$/)

const shapes = [
  z.object({
    type: z.literal('hello'),
    proto: z.array(z.int().min(0).max(65_535)).min(1).max(16),
    features,
    critical: features,
    /** Another one at each start of the daemon: two at once with one key are a copied key. */
    instanceId: word,
    names: z.array(hostName).max(16).default([]),
    caps: features,
  }),
  z.object({
    type: z.literal('welcome'),
    proto: z.int(),
    features,
    critical: features,
    relayId: word,
    /** Of this tunnel at this relay: the node signs both in its `route`. */
    tunnelId: word,
    limits: z.object({ streams: z.int().min(1), bytesPerSecond: z.number().min(0) }),
    /** Host names that lead to this node now. */
    names: z.array(servedName).max(64),
    /** Other relays of this domain; a node keeps tunnels to two. */
    peers: z.array(z.object({ id: word, address: z.string().max(300) })).max(64),
  }),
  /**
   * The node vouches for this tunnel, after the welcome and again from time to time: by this, see route-proof.ts, other
   * relays know that it has come here. Not answered.
   */
  z.object({ type: z.literal('route'), expiresAtMs: z.int().min(0), signature: base64url }),
  z.object({ type: z.literal('drain'), reconnectAfterMs: z.int().min(0).max(600_000) }),
  /** The names have changed. */
  z.object({ type: z.literal('names'), names: z.array(servedName).max(64) }),
  z.object({ type: z.literal('error'), code: word, min: z.int().optional(), max: z.int().optional() }),
  /** `previous`: the key that has the name so far, which signs the same bytes. */
  z.object({
    type: z.literal('claim'),
    id,
    name: hostName,
    invite: z.string().max(256).optional(),
    signature: base64url,
    previous: z.object({ publicKey: base64url, signature: base64url }).optional(),
  }),
  z.object({ type: z.literal('release'), id, name: hostName }),
  /** A challenge of ACME: the relay makes the record's name of `host`. */
  z.object({ type: z.literal('txt-set'), id, host: hostName, value: z.string().max(255) }),
  z.object({ type: z.literal('txt-remove'), id, host: hostName, value: z.string().max(255) }),
  /** To a message with an id; `result` is a stable word. */
  z.object({ type: z.literal('answer'), id, result: word, detail: z.string().max(1_024).optional() }),
] as const

const controlMessage = z.discriminatedUnion('type', shapes)
const TYPES: ReadonlySet<unknown> = new Set(shapes.map((shape) => shape.shape.type.value))

export type ControlMessage = z.infer<typeof controlMessage>
export type Control<T extends ControlMessage['type']> = Extract<ControlMessage, { readonly type: T }>

/** The other side does not speak the protocol; the tunnel ends. */
export class ProtocolError extends Error {
  constructor(reason: string) {
    super(reason)
    this.name = 'ProtocolError'
  }
}

/** Of the JSON of one message. */
const MOST_MESSAGE_BYTES = 16 * 2 ** 10
const LENGTH_BYTES = 2

/** Length in two bytes, then JSON. @throws ProtocolError: longer than 16 KiB */
export function writeMessage(message: z.input<typeof controlMessage>): Buffer {
  const json = Buffer.from(JSON.stringify(message))
  if (json.length > MOST_MESSAGE_BYTES) throw new ProtocolError(`a ${message.type} of ${json.length} bytes is too long`)
  const length = Buffer.alloc(LENGTH_BYTES)
  length.writeUInt16BE(json.length)
  return Buffer.concat([length, json])
}

/**
 * Reads messages, cut anyhow. What a later version adds is left out: fields, and whole messages.
 * @throws ProtocolError
 */
export function messageReader(): (chunk: Buffer) => ControlMessage[] {
  let held: Buffer = Buffer.alloc(0)
  return (chunk) => {
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk])
    const messages: ControlMessage[] = []
    while (held.length >= LENGTH_BYTES) {
      const end = LENGTH_BYTES + held.readUInt16BE(0)
      if (end > LENGTH_BYTES + MOST_MESSAGE_BYTES) throw new ProtocolError('a message is longer than 16 KiB')
      if (held.length < end) break
      const message = readMessage(held.toString('utf8', LENGTH_BYTES, end))
      if (message !== undefined) messages.push(message)
      held = held.subarray(end)
    }
    return messages
  }
}

function readMessage(json: string): ControlMessage | undefined {
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch {
    throw new ProtocolError('a message is not JSON')
  }
  if (typeof value !== 'object' || value === null || !('type' in value))
    throw new ProtocolError('a message has no type')
  if (!TYPES.has(value.type)) return undefined
  const { success, data, error } = controlMessage.safeParse(value)
  if (!success) throw new ProtocolError(`a ${value.type} is wrong at ${error.issues[0]?.path.join('.') ?? 'its start'}`)
  return data
}

/** Whether the features that the other side insists on are known here. @returns the first that is not */
export function unknownFeature(critical: readonly string[]): string | undefined {
  return critical.find((feature) => !FEATURES.some((known) => known === feature))
}
