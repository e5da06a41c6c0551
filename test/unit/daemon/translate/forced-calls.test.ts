import { expect, test } from 'vitest'
import { DIALECTS } from '../../../../daemon/translate/dialects.ts'
import { translate } from '../../../../daemon/translate/translation.ts'

const FACTS = { requestId: 'r1', nowS: 1_700_000_000, elapsedNs: () => 0 }
const SCHEMA = { type: 'object', properties: {} }
const named = (name: string) => DIALECTS.all.find((one) => one.name === name && one.neutral !== undefined)

/** A request with a tool of the client's own and one that its provider would run, which is forced. */
const REQUESTS: Readonly<Record<string, { readonly lost: object; readonly own: object; readonly field: string }>> = {
  anthropic: {
    ...withTools(
      { max_tokens: 9, messages: [{ role: 'user', content: 'hi' }] },
      { name: 'f', input_schema: SCHEMA },
      { type: 'web_search_20250305', name: 'web_search' },
      (name) => ({ tool_choice: { type: 'tool', name } }),
    ),
    field: 'tool_choice',
  },
  'openai-chat': {
    ...withTools(
      { messages: [{ role: 'user', content: 'hi' }] },
      { type: 'function', function: { name: 'f', parameters: SCHEMA } },
      { type: 'web_search' },
      (name) => ({ tool_choice: { type: 'function', function: { name } } }),
    ),
    field: 'tool_choice',
  },
  'openai-responses': {
    ...withTools(
      { input: 'hi' },
      { type: 'function', name: 'f', parameters: SCHEMA },
      { type: 'web_search' },
      (name) => ({ tool_choice: { type: 'function', name } }),
    ),
    field: 'tool_choice',
  },
}

function withTools(rest: object, own: object, other: object, force: (name: string) => object) {
  const request = { model: 'm', ...rest, tools: [other, own] }
  return { lost: { ...request, ...force('web_search') }, own: { ...request, ...force('f') } }
}

const pairs = Object.entries(REQUESTS).flatMap(([client, request]) =>
  ['openai-chat', 'openai-responses', 'anthropic', 'google']
    .filter((upstream) => upstream !== client)
    .map((upstream) => ({ client, upstream, ...request })),
)

test.each(pairs)('$client to $upstream: a tool that is left out is not forced, and the client is told', (one) => {
  const client = named(one.client)
  const dialect = named(one.upstream)
  const endpoint = client?.endpoints.find(({ does }) => does === 'generate')
  if (client === undefined || dialect === undefined || endpoint === undefined) throw new RangeError(one.client)
  const sent = (request: object) => {
    const call = { endpoint, param: '', url: endpoint.path, headers: {}, body: Buffer.from(JSON.stringify(request)) }
    const spoken = { dialect, grade: 'translate', instead: dialect } as const
    const { body, dropped } = translate(client, spoken, call, { model: 'm', provider: 'custom' }, FACTS)
    return { choice: /"(?:tool_choice|functionCallingConfig)"/.test(body.toString()), dropped }
  }
  expect(sent(one.lost)).toEqual({ choice: false, dropped: expect.arrayContaining([one.field, 'tools']) })
  expect(sent(one.own)).toEqual({ choice: true, dropped: ['tools'] })
})
