/** A two-dimensional tensor of 32-bit floats: `rows` times `columns`, row by row. */
export type Tensor = { readonly dimensions: readonly number[]; readonly data: Float32Array }

/** Plain numbers are 32-bit integers, unsigned by themselves and signed in arrays. */
export type Metadata =
  | number
  | boolean
  | string
  | readonly (number | string)[]
  | { readonly float: number }
  | { readonly floats: readonly number[] }

/** @param cells [row, column, value] of whatever is not 0 */
export function matrix(
  columns: number,
  rows: number,
  cells: readonly (readonly [number, number, number])[] = [],
): Tensor {
  const data = new Float32Array(columns * rows)
  for (const [row, column, value] of cells) data[row * columns + column] = value
  return { dimensions: [columns, rows], data }
}

/** A vector of ones: a norm that scales nothing. */
export const ones = (width: number): Tensor => ({ dimensions: [width], data: new Float32Array(width).fill(1) })

/**
 * The bytes of a GGUF file.
 * @see https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
 */
export function gguf(metadata: Readonly<Record<string, Metadata>>, tensors: Readonly<Record<string, Tensor>>): Buffer {
  const head: Buffer[] = [
    Buffer.from('GGUF'),
    u32(3),
    u64(Object.keys(tensors).length),
    u64(Object.keys(metadata).length),
  ]
  for (const [key, value] of Object.entries(metadata)) head.push(text(key), ...entry(value))
  let offset = 0
  for (const [name, { dimensions, data }] of Object.entries(tensors)) {
    head.push(text(name), u32(dimensions.length), ...dimensions.map(u64), u32(TENSOR_F32), u64(offset))
    offset += data.byteLength + padding(data.byteLength)
  }
  const headBytes = Buffer.concat(head)
  const body = Object.values(tensors).flatMap(({ data }) => [
    Buffer.from(data.buffer),
    Buffer.alloc(padding(data.byteLength)),
  ])
  return Buffer.concat([headBytes, Buffer.alloc(padding(headBytes.length)), ...body])
}

const TENSOR_F32 = 0
const TYPE = { u32: 4, i32: 5, f32: 6, bool: 7, string: 8, array: 9 } as const
const ALIGNMENT = 32

const padding = (size: number) => (ALIGNMENT - (size % ALIGNMENT)) % ALIGNMENT

function entry(value: Metadata): Buffer[] {
  if (typeof value === 'string') return [u32(TYPE.string), text(value)]
  if (typeof value === 'boolean') return [u32(TYPE.bool), Buffer.from([Number(value)])]
  if (typeof value === 'number') return [u32(TYPE.u32), u32(value)]
  if ('float' in value) return [u32(TYPE.f32), f32(value.float)]
  if ('floats' in value) return [u32(TYPE.array), u32(TYPE.f32), u64(value.floats.length), ...value.floats.map(f32)]
  const isText = typeof value[0] === 'string'
  const items = value.map((item) => (typeof item === 'string' ? text(item) : i32(item)))
  return [u32(TYPE.array), u32(isText ? TYPE.string : TYPE.i32), u64(value.length), ...items]
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value)
  return Buffer.concat([u64(bytes.length), bytes])
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}

function i32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32LE(value)
  return bytes
}

function f32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeFloatLE(value)
  return bytes
}

function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(BigInt(value))
  return bytes
}
