import { expect, test } from 'vitest'
import { ENDPOINTS } from '../../../../../daemon/translate/anthropic/endpoint.ts'
import { listModels, readModels } from '../../../../../daemon/translate/anthropic/models.ts'
import { upstreamPath } from '../../../../../daemon/translate/anthropic/request.ts'

const [messages, count] = ENDPOINTS
const models = ['a', 'b', 'c'].map((id) => ({ id, ownedBy: 'gate' }))

function callTo(url: string, endpoint = messages) {
  if (endpoint === undefined) throw new Error('no endpoint')
  return { endpoint, param: '', url, headers: {}, body: Buffer.alloc(0) }
}

test.each([
  { url: '/v1/models', ids: ['a', 'b', 'c'], more: false },
  { url: '/v1/models?limit=2', ids: ['a', 'b'], more: true },
  { url: '/v1/models?limit=2&after_id=b', ids: ['c'], more: false },
  { url: '/v1/models?limit=0', ids: ['a', 'b', 'c'], more: false },
  { url: '/v1/models?limit=-3', ids: ['a'], more: true },
  { url: '/v1/models?limit=x&after_id=zz', ids: ['a', 'b', 'c'], more: false },
])('lists $ids for $url', ({ url, ids, more }) => {
  expect(listModels(models, callTo(url))).toMatchObject({
    data: ids.map((id) => ({ id, type: 'model', display_name: id })),
    has_more: more,
    first_id: ids[0],
    last_id: ids.at(-1),
  })
})

test('reads what it lists, and nothing else', () => {
  expect(readModels(listModels(models, callTo('/v1/models')))).toEqual(['a', 'b', 'c'])
  expect(() => readModels({ models: [] })).toThrow('shape')
})

test.each([
  { url: '/v1/messages', endpoint: messages, path: '/messages' },
  { url: '/v1/messages?beta=true', endpoint: messages, path: '/messages?beta=true' },
  { url: '/v1/messages?key=secret&beta=true', endpoint: messages, path: '/messages?beta=true' },
  { url: '/v1/messages?key=secret', endpoint: messages, path: '/messages' },
  { url: '/v1/messages/count_tokens?beta=true', endpoint: count, path: '/messages/count_tokens?beta=true' },
])('$url is asked at $path', ({ url, endpoint, path }) => {
  expect(upstreamPath(callTo(url, endpoint))).toBe(path)
})
