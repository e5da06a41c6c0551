/** A header's name and value, as they are sent. */
export type Field = readonly [name: string, value: string]

/** Fields as literals with a new name, not indexed, without Huffman codes. @see https://www.rfc-editor.org/rfc/rfc7541#section-6.2.2 */
export const literals = (fields: readonly Field[]): Buffer =>
  Buffer.concat(fields.flatMap(([name, value]) => [Buffer.of(0), plain(name), plain(value)]))

/** The same, put into the dynamic table of the connection. @see https://www.rfc-editor.org/rfc/rfc7541#section-6.2.1 */
export const indexedLiteral = ([name, value]: Field): Buffer =>
  Buffer.concat([Buffer.of(0x40), plain(name), plain(value)])

/** A string without Huffman codes. */
const plain = (text: string): Buffer => Buffer.concat([integer(text.length, 7), Buffer.from(text, 'latin1')])

/**
 * A number in the low bits of a byte, and in more bytes where they are too few.
 * @param pattern what the high bits are @see https://www.rfc-editor.org/rfc/rfc7541#section-5.1
 */
export function integer(value: number, bits: number, pattern = 0): Buffer {
  const most = 2 ** bits - 1
  if (value < most) return Buffer.of(pattern | value)
  const bytes = [pattern | most]
  let left = value - most
  while (left >= 128) {
    bytes.push((left % 128) | 128)
    left = Math.floor(left / 128)
  }
  return Buffer.of(...bytes, left)
}

/** Statuses of the static table, from index 8. */
const STATIC_STATUSES = [200, 204, 206, 304, 400, 404, 500]
const STATUS_NAME = 8

/**
 * The status of an answer, which is its first field; of the first answer on a connection, as the dynamic table is
 * not kept here.
 * @throws Error when it is written in another way
 */
export function statusOf(block: Buffer): number {
  // updates of the table's size come first: 001xxxxx
  let at = 0
  while (((block[at] ?? 0) & 0xe0) === 0x20) at += 1 + moreBytes(block, at, 5)
  const first = block[at] ?? 0
  const known = first & 0x80 ? STATIC_STATUSES[(first & 0x7f) - STATUS_NAME] : undefined
  if (known !== undefined) return known
  const bits = first & 0x40 ? 0x3f : 0x0f
  if ((first & 0x80) === 0 && (first & bits) === STATUS_NAME) {
    const length = (block[at + 1] ?? 0) & 0x7f
    const text = block.subarray(at + 2, at + 2 + length)
    return Number((block[at + 1] ?? 0) & 0x80 ? huffmanDigits(text) : text.toString('latin1'))
  }
  throw new Error(`no status at the start of ${block.toString('hex')}`)
}

function moreBytes(block: Buffer, at: number, bits: number): number {
  const most = 2 ** bits - 1
  if (((block[at] ?? 0) & most) !== most) return 0
  let bytes = 1
  while ((block[at + bytes] ?? 0) & 0x80) bytes += 1
  return bytes
}

/** 0 to 2 have five bits, 3 to 9 have six. @see https://www.rfc-editor.org/rfc/rfc7541#appendix-B */
function huffmanDigits(bytes: Buffer): string {
  let bits = Array.from(bytes, (byte) => byte.toString(2).padStart(8, '0')).join('')
  let digits = ''
  while (bits.length >= 5 && !/^1+$/.test(bits)) {
    const five = Number.parseInt(bits.slice(0, 5), 2)
    const isShort = five <= 2
    digits += isShort ? five : Number.parseInt(bits.slice(0, 6), 2) - 0x19 + 3
    bits = bits.slice(isShort ? 5 : 6)
  }
  return digits
}
