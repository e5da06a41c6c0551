import fc from 'fast-check'
import { expect, test } from 'vitest'
import { BackupError, CHUNK_BYTES, decrypted, encrypted } from '../../../../store/backup/chunks.ts'
import { type FileEntry, ofState, read, written } from '../../../../store/backup/entries.ts'
import { locked, newIdentity, unlocked } from '../../../../store/backup/lock.ts'
import { textEntry } from '../../../../store/backup/state-files.ts'

const KEY = { key: Buffer.alloc(32, 5), prefix: Buffer.alloc(7, 6) }
const TAG = 16

async function* pieces(...all: readonly Buffer[]) {
  yield* all
}
async function whole(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const all: Buffer[] = []
  for await (const piece of stream) all.push(piece)
  return Buffer.concat(all)
}
const seal = (...all: readonly Buffer[]) => whole(encrypted(pieces(...all), KEY))
const open = (sealed: Buffer, key = KEY) => whole(decrypted(pieces(sealed), key))

test.each([0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES])(
  '%i bytes come back',
  async (size) => {
    const text = Buffer.alloc(size, 'x')
    const sealed = await seal(text)
    expect((await open(sealed)).equals(text)).toBe(true)
    expect(sealed).toHaveLength(size + TAG * Math.max(1, Math.ceil(size / CHUNK_BYTES)))
  },
)

test('pieces of any size come back whole', () =>
  fc.assert(
    fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 50_000 }), { maxLength: 8 }), async (given) => {
      const parts = given.map((part) => Buffer.from(part))
      const sealed = await seal(...parts)
      const cuts = parts.map(({ length }) => length)
      const fed = cuts.map((_, index) => sealed.subarray(index * 1_000, (index + 1) * 1_000))
      const rest = sealed.subarray(cuts.length * 1_000)
      const back = await whole(decrypted(pieces(...fed, rest), KEY))
      expect(back.equals(Buffer.concat(parts))).toBe(true)
    }),
    { numRuns: 30 },
  ))

test('what is cut off, changed, moved, doubled or left out does not open', async () => {
  const sealed = await seal(Buffer.alloc(2 * CHUNK_BYTES + 10, 'y'))
  const chunk = CHUNK_BYTES + TAG
  const [first, second, last] = [
    sealed.subarray(0, chunk),
    sealed.subarray(chunk, 2 * chunk),
    sealed.subarray(2 * chunk),
  ]
  const flipped = Buffer.from(sealed)
  flipped[chunk + 7] = (flipped[chunk + 7] ?? 0) ^ 1
  const harmed = {
    'without its end': sealed.subarray(0, 2 * chunk),
    'cut within a chunk': sealed.subarray(0, -1),
    'with a bit changed': flipped,
    'in another order': Buffer.concat([second, first, last]),
    'with a chunk twice': Buffer.concat([first, first, second, last]),
    'without a chunk': Buffer.concat([first, last]),
    'with more behind': Buffer.concat([sealed, Buffer.from('more')]),
    empty: Buffer.alloc(0),
  }
  for (const [name, bytes] of Object.entries(harmed)) await expect(open(bytes), name).rejects.toThrow(BackupError)
  await expect(open(sealed, { ...KEY, key: Buffer.alloc(32, 9) })).rejects.toThrow('passphrase or key is another one')
})

test('a passphrase opens what it locked, and nothing else does', async () => {
  const { head, key } = await locked({ passphrase: 'correct horse battery' })
  expect((await unlocked(head, { passphrase: 'correct horse battery' })).key.equals(key.key)).toBe(true)
  expect((await unlocked(head, { passphrase: 'correct horse' })).key.equals(key.key)).toBe(false)
  const { identity } = newIdentity()
  await expect(unlocked(head, { identity })).rejects.toThrow('locked with a passphrase')
  const cheap = Buffer.from(head.toString().replace('"memory":65536', '"memory":9999999'))
  await expect(unlocked(cheap, { passphrase: 'x' })).rejects.toThrow('damaged')
  const changed = Buffer.from(head.toString().replace('"passes":3', '"passes":2'))
  expect((await unlocked(changed, { passphrase: 'correct horse battery' })).key.equals(key.key)).toBe(false)
})

test('a public key locks, and the private half alone opens', async () => {
  const { identity, recipient } = newIdentity()
  const { head, key } = await locked({ recipient })
  expect((await unlocked(head, { identity })).key.equals(key.key)).toBe(true)
  expect((await unlocked(head, { identity: newIdentity().identity })).key.equals(key.key)).toBe(false)
  await expect(locked({ recipient: identity.replace('PRIVATE', 'PUBLIC') })).rejects.toThrow('public half of an X25519')
  await expect(unlocked(head, { identity: recipient })).rejects.toThrow('private half')
  await expect(unlocked(Buffer.from('PK\n{}\n'), { identity })).rejects.toThrow('not a backup')
})

test('entries come back, also those that nobody reads', async () => {
  const files = [
    textEntry('manifest.json', '{}', 1),
    textEntry('state/a', 'x'.repeat(200_000), 2),
    textEntry('state/b', '', 3),
  ]
  async function* given() {
    yield* files
  }
  const bytes = await whole(written(given()))
  const seen: string[] = []
  for await (const { entry, content } of read(pieces(bytes.subarray(0, 70), bytes.subarray(70)))) {
    seen.push(`${entry.path} ${entry.bytes} ${entry.modifiedMs}`)
    if (entry.path === 'state/a') for await (const _ of content) break
  }
  expect(seen).toEqual(['manifest.json 2 1', 'state/a 200000 2', 'state/b 0 3'])
})

test.each([
  '../x',
  'state/../../etc/passwd',
  '/etc/passwd',
  'state//x',
  'state/./x',
  'other/x',
  'state/a\0b',
  'state',
  'manifest.json/x',
  '',
])('an entry that leads elsewhere is refused: %j', async (path) => {
  async function* given(): AsyncGenerator<FileEntry> {
    yield textEntry(path, 'x', 1)
  }
  const bytes = await whole(written(given()))
  const all = async () => {
    for await (const _ of read(pieces(bytes)));
  }
  await expect(all()).rejects.toThrow('no Gate writes')
})

test.each([
  ['manifest.json', 'config/gate.toml'],
  ['manifest.json', 'state/a', 'deploy/secrets/x'],
  ['manifest.json', 'manifest.json'],
  ['state/a'],
])('the account of the state directory gives root nothing but its own: %j, %j, %j', async (...paths) => {
  async function* given() {
    for (const path of paths) yield textEntry(path, 'x', 1)
  }
  const all = async () => {
    for await (const _ of ofState(given()));
  }
  await expect(all()).rejects.toThrow('which is not its own')
})

test('a size that is no whole number is refused: nothing would ever be as long', async () => {
  const json = Buffer.from(JSON.stringify({ path: 'state/a', bytes: 0.5, mode: 0o600, modifiedMs: 1 }))
  const length = Buffer.alloc(4)
  length.writeUInt32BE(json.length)
  const all = async () => {
    for await (const _ of read(pieces(length, json, Buffer.alloc(8))));
  }
  await expect(all()).rejects.toThrow('no Gate writes')
})

test('a content that is shorter than it was is an error, not a shift', async () => {
  async function* given(): AsyncGenerator<FileEntry> {
    const { entry, content } = textEntry('state/x', 'abc', 1)
    yield { entry: { ...entry, bytes: 4 }, content }
  }
  await expect(whole(written(given()))).rejects.toThrow('has changed while it was read')
})
