import { expect, test } from 'vitest'
import { ENDPOINTS } from '../../../../../daemon/translate/anthropic/endpoint.ts'
import { estimateInput, estimateOutput } from '../../../../../daemon/translate/anthropic/estimate.ts'

function tokensOf(request: object): number {
  const [endpoint] = ENDPOINTS
  if (endpoint === undefined) throw new Error('no endpoint')
  const body = Buffer.from(JSON.stringify({ model: 'm', max_tokens: 9, ...request }))
  return estimateInput({ endpoint, param: '', url: endpoint.path, headers: {}, body })
}

const saying = (content: unknown) => ({ messages: [{ role: 'user', content }] })

function png(width: number, height: number): string {
  const image = Buffer.alloc(3_000, 7)
  image.write('\x89PNG\r\n\x1a\n', 'latin1')
  image.writeUInt32BE(13, 8)
  image.write('IHDR', 12, 'latin1')
  image.writeUInt32BE(width, 16)
  image.writeUInt32BE(height, 20)
  return image.toString('base64')
}
const source = (type: string, data: string) => ({ type: 'base64', media_type: type, data })

test('the text of messages, instructions and tools counts', () => {
  const text = 'word '.repeat(80)
  const alone = tokensOf(saying('hi'))
  expect(tokensOf(saying(text)) - alone).toBeGreaterThan(95)
  expect(tokensOf({ ...saying('hi'), system: [{ type: 'text', text }] }) - alone).toBeGreaterThan(95)
  expect(tokensOf({ ...saying('hi'), tools: [{ name: 'f', description: text }] }) - alone).toBeGreaterThan(95)
})

test('an image counts by its size, whatever it weighs, and a document by its weight', () => {
  const image = (data: string) => tokensOf(saying([{ type: 'image', source: source('image/png', data) }]))
  expect(image(png(640, 320)) - image(png(32, 32))).toBe(20 * 10 - 1)
  const document = tokensOf(saying([{ type: 'document', source: source('application/pdf', 'J'.repeat(64_000)) }]))
  expect(document).toBeGreaterThan(25)
  expect(document).toBeLessThan(100)
})

test('of an answer its content counts', () => {
  const answer = { id: 'msg_1'.repeat(50), content: [{ type: 'text', text: 'word '.repeat(80) }] }
  expect(estimateOutput(Buffer.from(JSON.stringify(answer)))).toBeLessThan(120)
  expect(estimateOutput(Buffer.from(JSON.stringify(answer)))).toBeGreaterThan(95)
})
