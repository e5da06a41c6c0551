/**
 * DNS messages, as far as dynamic updates need them.
 * @see RFC 1035 section 4, RFC 2136 section 2
 */
export const TYPE = { SOA: 6, TXT: 16, TSIG: 250 } as const
export const CLASS = { IN: 1, NONE: 254, ANY: 255 } as const

/** `QR OPCODE Z RCODE` of an update that is asked for. */
const UPDATE_FLAGS = 5 << 11
const HEADER_BYTES = 12
const ADDITIONAL_COUNT_AT = 10
/** Of a name, whose 255 bytes hold no more. */
const MAX_LABELS = 127

/** Codes of answers. @see RFC 1035 section 4.1.1, RFC 2136 section 2.2, RFC 8945 section 3 */
const CODES: Readonly<Record<number, string>> = {
  1: 'FORMERR',
  2: 'SERVFAIL',
  3: 'NXDOMAIN',
  4: 'NOTIMP',
  5: 'REFUSED',
  6: 'YXDOMAIN',
  7: 'YXRRSET',
  8: 'NXRRSET',
  9: 'NOTAUTH',
  10: 'NOTZONE',
  16: 'BADSIG',
  17: 'BADKEY',
  18: 'BADTIME',
  22: 'BADTRUNC',
}
export const codeName = (code: number): string => CODES[code] ?? `code ${code}`

/** A name in wire form, lower case, uncompressed. @throws RangeError for a label or a name that is too long or empty */
export function encodeName(name: string): Buffer {
  const bare = name.toLowerCase().replace(/\.$/, '')
  const labels = bare === '' ? [] : bare.split('.').map((label) => Buffer.from(label, 'latin1'))
  if (labels.some(({ length }) => length === 0 || length > 63)) throw new RangeError(`not a DNS name: ${name}`)
  const bytes = Buffer.concat([...labels.flatMap((label) => [Buffer.of(label.length), label]), Buffer.of(0)])
  if (bytes.length > 255) throw new RangeError(`not a DNS name: ${name}`)
  return bytes
}

/** One TXT record that is to be there, or not. */
export type Change = {
  readonly kind: 'add' | 'remove'
  readonly name: string
  readonly value: string
  readonly ttl: number
}

/** An update of one zone. @throws RangeError for names that DNS does not have */
export function encodeUpdate(id: number, zone: string, change: Change): Buffer {
  const header = Buffer.alloc(HEADER_BYTES)
  header.writeUInt16BE(id, 0)
  header.writeUInt16BE(UPDATE_FLAGS, 2)
  header.writeUInt16BE(1, 4) // zones
  header.writeUInt16BE(1, 8) // updates
  return Buffer.concat([header, encodeName(zone), numbers16(TYPE.SOA, CLASS.IN), changedRecord(change)])
}

/** A class of NONE removes this record and leaves others of the name. @see RFC 2136 section 2.5 */
function changedRecord({ kind, name, value, ttl }: Change): Buffer {
  const text = Buffer.from(value, 'latin1')
  if (text.length > 255) throw new RangeError(`a TXT value of ${text.length} bytes is too long`)
  const data = Buffer.concat([Buffer.of(text.length), text])
  const recordClass = kind === 'add' ? CLASS.IN : CLASS.NONE
  return encodeRecord(name, TYPE.TXT, recordClass, kind === 'add' ? ttl : 0, data)
}

export function encodeRecord(name: string, type: number, recordClass: number, ttl: number, data: Buffer): Buffer {
  const time = Buffer.alloc(4)
  time.writeUInt32BE(ttl)
  return Buffer.concat([encodeName(name), numbers16(type, recordClass), time, numbers16(data.length), data])
}

export function numbers16(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 2)
  values.forEach((value, at) => {
    bytes.writeUInt16BE(value, at * 2)
  })
  return bytes
}

/** The message with another number of additional records. */
export function withAdditional(message: Buffer, count: number): Buffer {
  const copy = Buffer.from(message)
  copy.writeUInt16BE(count, ADDITIONAL_COUNT_AT)
  return copy
}

export type LastRecord = {
  /** Where it begins in the message. */
  readonly at: number
  readonly type: number
  readonly data: Buffer
}

export type Reply = {
  readonly id: number
  readonly code: number
  readonly additional: number
  /** undefined: the message has no record. */
  readonly last: LastRecord | undefined
}

/** Reads a reply to its last record, which is the signature where there is one. @throws RangeError for what is cut off */
export function decodeReply(message: Buffer): Reply {
  const [id, flags, questions, ...counts] = [0, 2, 4, 6, 8, 10].map((at) => message.readUInt16BE(at))
  let at = HEADER_BYTES
  for (let i = 0; i < (questions ?? 0); i++) at = skipName(message, at) + 4
  let last: LastRecord | undefined
  const records = counts.reduce((sum, count) => sum + count, 0)
  for (let i = 0; i < records; i++) {
    const fields = skipName(message, at)
    const length = message.readUInt16BE(fields + 8)
    const end = fields + 10 + length
    if (end > message.length) throw new RangeError('the reply is cut off')
    last = { at, type: message.readUInt16BE(fields), data: message.subarray(fields + 10, end) }
    at = end
  }
  return { id: id ?? 0, code: (flags ?? 0) & 15, additional: counts[2] ?? 0, last }
}

/** @returns where the name ends; a pointer ends it, wherever it leads */
export function skipName(message: Buffer, start: number): number {
  let at = start
  for (let labels = 0; labels <= MAX_LABELS; labels++) {
    const length = message.readUInt8(at)
    if (length === 0) return at + 1
    if (length >= 192) return at + 2
    at += 1 + length
  }
  throw new RangeError('the reply has a name without end')
}
