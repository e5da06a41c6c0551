import { createHash, generateKeyPairSync } from 'node:crypto'
import { expect, test } from 'vitest'
import {
  claimBytes,
  isNodeId,
  messageReader,
  nodeIdOf,
  ProtocolError,
  unknownFeature,
  writeMessage,
} from '../../../../daemon/relay/protocol.ts'
import { below, createRandom } from '../../../support/fuzz.ts'

const framed = (json: string): Buffer => {
  const bytes = Buffer.from(json)
  const length = Buffer.alloc(2)
  length.writeUInt16BE(bytes.length)
  return Buffer.concat([length, bytes])
}

test('the id of a key is 160 bits of its hash in base32', () => {
  const spki = Buffer.from('a key')
  const bits = [...createHash('sha256').update(spki).digest().subarray(0, 20)]
    .map((byte) => byte.toString(2).padStart(8, '0'))
    .join('')
  const expected = (bits.match(/.{5}/g) ?? [])
    .map((five) => 'abcdefghijklmnopqrstuvwxyz234567'[Number.parseInt(five, 2)])
    .join('')
  expect(nodeIdOf(spki)).toBe(expected)
  expect(nodeIdOf(spki)).toHaveLength(32)
  expect(isNodeId(nodeIdOf(spki))).toBe(true)
  expect(isNodeId('myserver')).toBe(false)
})

test('two keys have two ids', () => {
  const idOf = () => nodeIdOf(generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'der' }))
  expect(idOf()).not.toBe(idOf())
})

test('messages are read however they are cut', () => {
  const random = createRandom(15)
  const sent: Parameters<typeof writeMessage>[0][] = [
    { type: 'hello', proto: [1], instanceId: 'a', names: ['x.example.org'] },
    { type: 'drain', reconnectAfterMs: 50 },
    { type: 'answer', id: 3, result: 'taken' },
  ]
  const bytes = Buffer.concat(sent.map((message) => writeMessage(message)))
  for (let trial = 0; trial < 50; trial += 1) {
    const read = messageReader()
    const got: unknown[] = []
    for (let at = 0; at < bytes.length; ) {
      const end = at + 1 + below(random, 40)
      got.push(...read(bytes.subarray(at, end)))
      at = end
    }
    expect(got).toMatchObject(sent)
  }
})

test('what a later version adds is left out', () => {
  const read = messageReader()
  const json = (value: object) => framed(JSON.stringify(value))
  expect(read(json({ type: 'names', names: [], colour: 'red' }))).toEqual([{ type: 'names', names: [] }])
  expect(read(json({ type: 'weather', rain: true }))).toEqual([])
})

test.each([
  { name: 'no JSON', bytes: framed('{') },
  { name: 'no object', bytes: framed('3') },
  { name: 'no type', bytes: framed('{}') },
  { name: 'a message of the wrong shape', bytes: framed('{"type":"drain","reconnectAfterMs":"soon"}') },
  { name: 'a hello without a version', bytes: framed('{"type":"hello","proto":[],"instanceId":"a"}') },
  { name: 'a length above 16 KiB, before its bytes', bytes: Buffer.from([0xff, 0xff]) },
])('refuses $name', ({ bytes }) => {
  expect(() => messageReader()(bytes)).toThrow(ProtocolError)
})

test('a message of more than 16 KiB is not sent', () => {
  const names = Array.from({ length: 64 }, () => 'x'.repeat(253))
  expect(() => writeMessage({ type: 'names', names: [...names, ...names] })).toThrow(/too long/)
})

test('features that have to be known are looked for', () => {
  expect(unknownFeature(['claim'])).toBeUndefined()
  expect(unknownFeature(['claim', 'teleport'])).toBe('teleport')
})

test('a claim is bound to its tunnel, its name and its key', () => {
  const of = (exporter: string, name: string, nodeId: string) =>
    claimBytes(Buffer.from(exporter), { name, nodeId }).toString('latin1')
  const all = [of('e', 'n', 'k'), of('f', 'n', 'k'), of('e', 'm', 'k'), of('e', 'n', 'l')]
  expect(new Set(all).size).toBe(4)
})
