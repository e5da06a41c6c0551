/** Numbers from 0 to below 1, the same for the same seed (mulberry32). */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

export const below = (random: () => number, limit: number): number => Math.floor(random() * limit)

export function pick<T>(random: () => number, values: readonly [T, ...T[]] | readonly T[]): T {
  const value = values[below(random, values.length)]
  if (value === undefined) throw new Error('nothing to pick from')
  return value
}

const deep = (depth: number): unknown => JSON.parse('['.repeat(depth) + ']'.repeat(depth))

/** Values that programs get wrong. */
const NASTY: readonly unknown[] = [
  null,
  true,
  '',
  0,
  -1,
  1e308,
  2 ** 53,
  0.5,
  [],
  {},
  [[]],
  'x'.repeat(3_000),
  '\u0000\u001b[31m\u009b\u2028',
  '\ud800',
  '../../etc/shadow',
  '-',
  '--user',
  'gate-other.service',
  'dbus.service',
  '$(touch pwned)',
  'a\nb',
  'constructor',
  '__proto__',
  deep(500),
  Array.from({ length: 200 }, (_, i) => i),
]

/** A message whose parts were exchanged, removed or added; mostly of the wrong shape, sometimes still right. */
export function mutated(random: () => number, message: unknown): unknown {
  if (typeof message !== 'object' || message === null || random() < 0.1) return pick(random, NASTY)
  const entries = Object.entries(message)
  const at = below(random, entries.length)
  switch (below(random, 6)) {
    case 0:
      entries.splice(at, 1)
      break
    case 1:
      entries.push([
        pick(random, ['op', 'type', 'user', '__proto__', 'constructor', 'toString', '']),
        pick(random, NASTY),
      ])
      break
    case 2:
      return Array.isArray(message) ? message.toReversed() : [message]
    default: {
      const entry = entries[at]
      if (entry !== undefined)
        entries[at] = [entry[0], random() < 0.2 ? mutated(random, entry[1]) : pick(random, NASTY)]
    }
  }
  return Array.isArray(message) ? entries.map(([, value]) => value) : Object.fromEntries(entries)
}

/** Ways to break the text of a message. */
const BREAKS: readonly ((bytes: Buffer, random: () => number) => Buffer)[] = [
  (bytes, random) => bytes.subarray(0, below(random, bytes.length)),
  (bytes, random) => insert(bytes, random, Buffer.from([0])),
  (bytes, random) => insert(bytes, random, Buffer.from([0xff, 0xc0, 0x80])),
  (bytes, random) => insert(bytes, random, Buffer.from('\n')),
  (bytes, random) => insert(bytes, random, Buffer.from(pick(random, ['"', '{', ']', '\\u', '1e999', ',,', '\ufeff']))),
  (bytes) => Buffer.concat([bytes, bytes]),
  () => Buffer.from('['.repeat(60_000)),
  () => Buffer.from(`{"op":${'{"a":'.repeat(9_000)}1${'}'.repeat(9_000)}}`),
  () => Buffer.from('x'.repeat(70_000)),
  () => Buffer.from('GET / HTTP/1.1\r\nhost: x\r\n\r\n{"op":"gc"}'),
  () => Buffer.alloc(0),
  (_, random) => Buffer.from(Array.from({ length: 40 }, () => below(random, 256))),
]

function insert(bytes: Buffer, random: () => number, part: Buffer): Buffer {
  const at = below(random, bytes.length + 1)
  return Buffer.concat([bytes.subarray(0, at), part, bytes.subarray(at)])
}

export function broken(random: () => number, bytes: Buffer): Buffer {
  return pick(random, BREAKS)(bytes, random)
}
