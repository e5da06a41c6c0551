import { expect, test } from 'vitest'
import { openAiChat } from '../../../../daemon/translate/openai-chat/dialect.ts'
import { createCatalog } from '../../../../daemon/upstream/catalog.ts'
import type { Upstream } from '../../../../daemon/upstream/upstream.ts'

test('a list that says something else of the same models is news, and the same list is none', async () => {
  let time = 0
  let context = 1_000
  let news = 0
  async function* list() {
    yield Buffer.from(JSON.stringify({ data: [{ id: 'm', context_length: context }] }))
  }
  const upstream = {
    name: 'shop',
    provider: 'custom',
    table: 'upstreams',
    baseUrl: 'http://shop/v1',
    configuredModels: null,
    lists: openAiChat,
    addVersion: null,
    redactor: null,
    ask: async () => ({ ok: true, status: 200, body: Object.assign(list(), { cancel: async () => {} }) }),
  } as Partial<Upstream> as Upstream
  const catalog = createCatalog({ log: () => {}, now: () => time, onChange: () => (news += 1) })
  const newsAfter = async () => {
    time += 600_000
    await catalog.refresh([upstream], () => false, new AbortController().signal)
    return news
  }
  expect(await newsAfter()).toBe(1)
  expect(await newsAfter()).toBe(1)
  context = 2_000
  expect(await newsAfter()).toBe(2)
})
