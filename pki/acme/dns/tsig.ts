import { createHmac, timingSafeEqual } from 'node:crypto'
import {
  CLASS,
  codeName,
  decodeReply,
  encodeName,
  encodeRecord,
  type LastRecord,
  numbers16,
  skipName,
  TYPE,
  withAdditional,
} from './message.ts'

/**
 * Signatures of DNS messages by a shared key.
 * @see RFC 8945
 */
export const TSIG_ALGORITHMS = ['hmac-sha224', 'hmac-sha256', 'hmac-sha384', 'hmac-sha512', 'hmac-sha1'] as const

export type TsigKey = {
  readonly name: string
  readonly algorithm: (typeof TSIG_ALGORITHMS)[number]
  /** Base64. */
  readonly secret: string
}

/** Seconds that the clocks of both sides may differ. */
const FUDGE_S = 300
const BADTIME = 18

/** A message with its signature. @param id of the message @param nowS Unix seconds */
export function sign(message: Buffer, key: TsigKey, nowS: number): { readonly signed: Buffer; readonly mac: Buffer } {
  const variables = timers(nowS)
  const mac = macOf(key, [message, ownName(key), nameOf(key), variables, numbers16(0, 0)])
  const data = Buffer.concat([
    nameOf(key),
    variables,
    numbers16(mac.length),
    mac,
    message.subarray(0, 2),
    numbers16(0, 0),
  ])
  const record = encodeRecord(key.name, TYPE.TSIG, CLASS.ANY, 0, data)
  return { signed: Buffer.concat([withAdditional(message, 1), record]), mac }
}

/**
 * Reads the reply to a signed message.
 * @param id of the message @param asked its signature @param nowS Unix seconds
 * @throws Error when the server refused, or when the reply is not the server's
 */
export function verify(reply: Buffer, id: number, key: TsigKey, asked: Buffer, nowS: number): void {
  const { id: repliedId, code, additional, last } = decodeReply(reply)
  if (repliedId !== id) throw new Error('the reply belongs to another message')
  if (last?.type !== TYPE.TSIG) {
    throw new Error(code === 0 ? 'the reply is not signed' : `the server answered ${codeName(code)}`)
  }
  const { timesAt, mac, error } = readSignature(last)
  if (error === BADTIME)
    throw new Error('the server says BADTIME: the clocks of both sides differ by more than 5 minutes')
  if (error !== 0)
    throw new Error(`the server says ${codeName(error)}: check the name, secret and algorithm of the key`)
  const before = withAdditional(reply.subarray(0, last.at), additional - 1)
  const variables = last.data.subarray(timesAt, timesAt + 8)
  const expected = macOf(key, [
    numbers16(asked.length),
    asked,
    before,
    ownName(key),
    nameOf(key),
    variables,
    numbers16(0, 0),
  ])
  if (mac.length !== expected.length || !timingSafeEqual(mac, expected)) {
    throw new Error('the signature of the reply is wrong: it is not from a server that has the key')
  }
  if (Math.abs(variables.readUIntBE(0, 6) - nowS) > FUDGE_S) throw new Error('the reply is older than 5 minutes')
  if (code !== 0) throw new Error(`the server answered ${codeName(code)}`)
}

function readSignature({ data }: LastRecord) {
  const timesAt = skipName(data, 0)
  const length = data.readUInt16BE(timesAt + 8)
  const macAt = timesAt + 10
  return { timesAt, mac: data.subarray(macAt, macAt + length), error: data.readUInt16BE(macAt + length + 2) }
}

/** Time signed in 48 bits, and fudge. */
function timers(nowS: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeUIntBE(nowS, 0, 6)
  bytes.writeUInt16BE(FUDGE_S, 6)
  return bytes
}

/** Name, class and TTL of the record. */
const ownName = ({ name }: TsigKey): Buffer => Buffer.concat([encodeName(name), numbers16(CLASS.ANY, 0, 0)])
const nameOf = ({ algorithm }: TsigKey): Buffer => encodeName(algorithm)

function macOf({ algorithm, secret }: TsigKey, parts: readonly Buffer[]): Buffer {
  const hmac = createHmac(algorithm.slice('hmac-'.length), Buffer.from(secret, 'base64'))
  for (const part of parts) hmac.update(part)
  return hmac.digest()
}
