import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { offeredModels } from '../../../ctl/commands/client/offered-models.ts'

let answer: (response: ServerResponse) => void
let asked: { url: string | undefined; authorization: string | undefined }
const server = createServer((request, response) => {
  asked = { url: request.url, authorization: request.headers.authorization }
  answer(response)
})
let url = ''
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})
const json = (status: number, value: unknown) => (response: ServerResponse) =>
  void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))

test('models are told with what is known of them, the built-in one last', async () => {
  answer = json(200, {
    data: [
      { id: 'echo', owned_by: 'echo' },
      { id: 'fast', context_length: 32_000, supported_parameters: ['tools'] },
      {},
    ],
  })
  const found = await offeredModels(url, 'gate_x')
  expect(found).toMatchObject([{ id: 'fast', contextTokens: 32_000, tools: true, reasoning: false }, { id: 'echo' }])
  expect(asked).toEqual({ url: '/v1/models', authorization: 'Bearer gate_x' })
})

test('a long list is read whole', async () => {
  const data = Array.from({ length: 3_000 }, (_, i) => ({ id: `m${i}`, description: 'x'.repeat(1_000) }))
  answer = json(200, { data })
  expect(await offeredModels(url, undefined)).toHaveLength(3_000)
  expect(asked.authorization).toBeUndefined()
})

test.each([401, 403])('%d wants a key', async (status) => {
  answer = json(status, {})
  expect(await offeredModels(url, 'wrong')).toBeNull()
})

test.each<{ name: string; with: typeof answer; says: RegExp }>([
  { name: 'something else', with: json(200, { hello: 1 }), says: /answered 200, but not as a gateway does/ },
  { name: 'no JSON', with: (response) => void response.end('<html>'), says: /answered 200, but not as/ },
  {
    name: 'a way to elsewhere',
    with: (response) => void response.writeHead(302, { location: '/' }).end(),
    says: /302/,
  },
  { name: 'an error', with: json(500, { data: [] }), says: /answered 500/ },
  {
    name: 'half of it',
    with: (response) => void response.writeHead(200, { 'content-length': '99' }).write('{', () => response.destroy()),
    says: /aborted/,
  },
])('$name is no gateway', async ({ with: answers, says }) => {
  answer = answers
  await expect(offeredModels(url, undefined)).rejects.toThrow(says)
})
