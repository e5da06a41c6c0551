/**
 * Writes messages of Protocol Buffers, as far as OTLP needs them. A message is a list of fields; those that are empty are
 * left out. @see https://protobuf.dev/programming-guides/encoding/
 */
export type Field = Buffer

const VARINT = 0
const FIXED64 = 1
const LENGTH_DELIMITED = 2
const TEN_BYTES = 10

/** A message in a field. */
export const message = (number: number, fields: readonly Field[]): Field => bytes(number, Buffer.concat(fields))

export function bytes(number: number, content: Buffer): Field {
  return Buffer.concat([varint(tag(number, LENGTH_DELIMITED)), varint(content.length), content])
}

export const text = (number: number, content: string): Field => bytes(number, Buffer.from(content))

/** A whole number, a Boolean or a member of an enum. @param value 0 to 2^53-1, or a negative one as int64 has it */
export function whole(number: number, value: number): Field {
  return Buffer.concat([varint(tag(number, VARINT)), varint(value < 0 ? BigInt.asUintN(64, BigInt(value)) : value)])
}

/** fixed64 */
export function fixed(number: number, value: bigint): Field {
  const field = Buffer.alloc(9)
  field[0] = tag(number, FIXED64)
  field.writeBigUInt64LE(value, 1)
  return field
}

export function double(number: number, value: number): Field {
  const field = Buffer.alloc(9)
  field[0] = tag(number, FIXED64)
  field.writeDoubleLE(value, 1)
  return field
}

/** Repeated fixed64 in one field. */
export function packedFixed(number: number, values: readonly number[]): Field {
  const content = Buffer.alloc(8 * values.length)
  for (const [index, value] of values.entries()) content.writeBigUInt64LE(BigInt(value), 8 * index)
  return bytes(number, content)
}

/** Repeated double in one field. */
export function packedDoubles(number: number, values: readonly number[]): Field {
  const content = Buffer.alloc(8 * values.length)
  for (const [index, value] of values.entries()) content.writeDoubleLE(value, 8 * index)
  return bytes(number, content)
}

/** Numbers of fields are below 16, so a tag is one byte. */
const tag = (number: number, type: number): number => (number << 3) | type

function varint(value: number | bigint): Buffer {
  let rest = BigInt(value)
  const out = Buffer.alloc(TEN_BYTES)
  let length = 0
  for (; rest > 0x7fn; rest >>= 7n) out[length++] = Number(rest & 0x7fn) | 0x80
  out[length++] = Number(rest)
  return out.subarray(0, length)
}
