import fc from 'fast-check'
import { expect, test } from 'vitest'
import { imageSize } from '../../../../../daemon/translate/image-size.ts'
import { ENDPOINTS } from '../../../../../daemon/translate/openai-chat/endpoint.ts'
import { estimateInput, estimateOutput } from '../../../../../daemon/translate/openai-chat/estimate.ts'
import { completion } from '../../../../support/fake-upstream.ts'

function inputOf(body: string | Buffer): number {
  const [endpoint] = ENDPOINTS
  if (endpoint === undefined) throw new Error('no endpoint')
  return estimateInput({ endpoint, param: '', url: endpoint.path, headers: {}, body: Buffer.from(body) })
}

const asking = (content: unknown, more: object = {}) =>
  inputOf(JSON.stringify({ model: 'm', messages: [{ role: 'user', content }], ...more }))

function png(width: number, height: number, bytes = 100): Buffer {
  const image = Buffer.alloc(bytes, 7)
  image.writeUInt32BE(0x89504e47, 0)
  image.writeUInt32BE(width, 16)
  image.writeUInt32BE(height, 20)
  return image
}

function jpeg(width: number, height: number, previewBytes: number): Buffer {
  const start = Buffer.from([0xff, 0xd8, 0xff, 0xe1, 0, 0])
  start.writeUInt16BE(previewBytes + 2, 4)
  const frame = Buffer.from([0xff, 0xc2, 0, 17, 8, 0, 0, 0, 0, 3])
  frame.writeUInt16BE(height, 5)
  frame.writeUInt16BE(width, 7)
  return Buffer.concat([start, Buffer.alloc(previewBytes), frame])
}

function webp(kind: string, fill: (bytes: Buffer) => void): Buffer {
  const image = Buffer.alloc(40)
  image.write('RIFF', 0)
  image.write(`WEBP${kind}`, 8)
  fill(image)
  return image
}

const gif = Buffer.from('GIF89a____', 'latin1')
gif.writeUInt16LE(300, 6)
gif.writeUInt16LE(200, 8)

test.each([
  { name: 'PNG', image: png(640, 480), size: { width: 640, height: 480 } },
  { name: 'GIF', image: gif, size: { width: 300, height: 200 } },
  { name: 'JPEG behind a preview', image: jpeg(4000, 3000, 60_000), size: { width: 4000, height: 3000 } },
  {
    name: 'WebP',
    image: webp('VP8 ', (i) => i.writeUInt32LE(320 | (240 << 16), 26)),
    size: { width: 320, height: 240 },
  },
  {
    name: 'WebP without loss',
    image: webp('VP8L', (i) => i.writeUInt32LE(319 | (239 << 14), 21)),
    size: { width: 320, height: 240 },
  },
  {
    name: 'WebP of layers',
    image: webp('VP8X', (i) => i.writeUIntLE(319, 24, 3) && i.writeUIntLE(239, 27, 3)),
    size: { width: 320, height: 240 },
  },
  { name: 'text', image: Buffer.from('hello, I am no image at all, not even of a kind'), size: null },
  { name: 'nothing', image: Buffer.alloc(0), size: null },
])('reads the size of $name', ({ image, size }) => {
  expect(imageSize(image)).toEqual(size)
})

test('reads any bytes without an error, and ends', () => {
  const heads = fc.constantFrom(
    png(1, 1),
    gif,
    jpeg(1, 1, 4),
    webp('VP8X', () => {}),
    Buffer.alloc(0),
  )
  fc.assert(
    fc.property(heads, fc.uint8Array({ maxLength: 200 }), fc.nat(300), (head, tail, length) => {
      imageSize(Buffer.concat([head, tail]).subarray(0, length))
    }),
  )
})

test('B10: an image of 2 MB counts by its size, not as text', () => {
  const url = `data:image/png;base64,${png(1024, 768, 2_000_000).toString('base64')}`
  const tokens = asking([
    { type: 'text', text: 'x'.repeat(400) },
    { type: 'image_url', image_url: { url } },
  ])
  expect(tokens).toBeGreaterThanOrEqual(100 + 32 * 24)
  expect(tokens).toBeLessThan(100 + 32 * 24 + 20)
})

test.each([
  {
    name: 'keys and numbers',
    content: 'x'.repeat(40),
    more: { temperature: 0.123456789, metadata: { k: 'v'.repeat(999) } },
    least: 10,
    most: 13,
  },
  {
    name: 'tools',
    content: '',
    more: { tools: [{ type: 'function', function: { name: 'f'.repeat(400) } }] },
    least: 100,
    most: 130,
  },
  {
    name: 'a sound',
    content: [{ type: 'input_audio', input_audio: { data: 'A'.repeat(64_000), format: 'wav' } }],
    more: {},
    least: 30,
    most: 50,
  },
  {
    name: 'a document',
    content: [{ type: 'file', file: { file_data: `data:application/pdf;base64,${'A'.repeat(64_000)}` } }],
    more: {},
    least: 30,
    most: 50,
  },
  {
    name: 'an image elsewhere',
    content: [{ type: 'image_url', image_url: { url: 'https://x/y.png' } }],
    more: {},
    least: 1,
    most: 20,
  },
  { name: 'a text that begins like an image', content: `data:${'x'.repeat(400)}`, more: {}, least: 100, most: 110 },
  { name: 'a text called data', content: [{ type: 'x', data: 'word' }], more: {}, least: 1, most: 5 },
  { name: 'quotes in a text', content: '"'.repeat(100), more: {}, least: 25, most: 55 },
])('B10: $name: about $least tokens', ({ content, more, least, most }) => {
  const tokens = asking(content, more)
  expect(tokens).toBeGreaterThanOrEqual(least)
  expect(tokens).toBeLessThanOrEqual(most)
})

test('B10: a long text is measured at its beginning, and counted whole', () => {
  const tokens = asking('word '.repeat(6_000_000))
  expect(Math.abs(tokens - 7_500_000)).toBeLessThan(75_000)
})

test('B10: any request gets a count that is no more than all its bytes', () => {
  fc.assert(
    fc.property(fc.array(fc.jsonValue()), fc.nat(2), (messages, indent) => {
      const body = JSON.stringify({ model: 'm', messages }, null, indent)
      const tokens = inputOf(body)
      expect(Number.isInteger(tokens)).toBe(true)
      expect(tokens).toBeGreaterThanOrEqual(0)
      expect(tokens).toBeLessThanOrEqual(Math.ceil(Buffer.byteLength(body) / 4))
    }),
  )
})

test('B10: of an answer only what it says counts', () => {
  const said = Buffer.from(JSON.stringify(completion('x'.repeat(400))))
  expect(estimateOutput(said)).toBeGreaterThanOrEqual(100)
  expect(estimateOutput(said)).toBeLessThan(110)
  expect(estimateOutput(Buffer.from('not JSON: 20 letters'))).toBe(5)
})

/** 1 MiB is looked at byte by byte; a turn of the event loop must not be as long as a text. */
test.each([
  { name: 'a text as long as a body may be', text: 'a'.repeat(9_000_000) },
  { name: 'one that is cut before what would end a key', text: ':'.repeat(9_000_000) },
  { name: 'one that is cut within an escape', text: `x${'\\'.repeat(9_000_000)}` },
])('$name counts as if all of it were like its beginning', ({ text }) => {
  const tokens = JSON.stringify(text).length / 4
  expect(asking(text)).toBeGreaterThan(0.99 * tokens)
  expect(asking(text)).toBeLessThan(1.01 * tokens + 10)
})
