import { expect, test } from 'vitest'
import { anthropic } from '../../../../daemon/translate/anthropic/dialect.ts'
import type { Call } from '../../../../daemon/translate/call.ts'
import type { Dialect } from '../../../../daemon/translate/dialect.ts'
import { google } from '../../../../daemon/translate/google/dialect.ts'
import { ollama } from '../../../../daemon/translate/ollama/dialect.ts'
import { openAiChat } from '../../../../daemon/translate/openai-chat/dialect.ts'
import { openAiResponses } from '../../../../daemon/translate/openai-responses/dialect.ts'
import { translate } from '../../../../daemon/translate/translation.ts'

const LONG = `mcp__${'server_'.repeat(12)}tool`

/** A question of a client of Google, or of Anthropic, with a tool of this name. */
const asked = {
  google: (name: string) => ({
    contents: [{ role: 'user', parts: [{ text: 'hi' }] }],
    tools: [{ functionDeclarations: [{ name, description: 'a' }] }],
    toolConfig: { functionCallingConfig: { mode: 'ANY', allowedFunctionNames: [name] } },
  }),
  anthropic: (name: string) => ({
    model: 'm',
    max_tokens: 9,
    messages: [{ role: 'user', content: 'hi' }],
    tools: [{ name, input_schema: { type: 'object' } }],
    tool_choice: { type: 'tool', name },
  }),
}

function sentTo(upstream: Dialect, client: Dialect, body: object): string {
  const [endpoint] = client.endpoints
  if (endpoint === undefined) throw new Error('no endpoint')
  const call: Call = { endpoint, param: 'm', url: endpoint.path, headers: {}, body: Buffer.from(JSON.stringify(body)) }
  const spoken = { dialect: upstream, grade: 'translate', instead: upstream } as const
  const facts = { requestId: 'r', nowS: 1, elapsedNs: () => 1 }
  const side = { model: 'm', provider: upstream.name.startsWith('openai') ? 'openai' : upstream.name }
  return translate(client, spoken, call, side, facts).body.toString()
}

test.each<{ client: 'google' | 'anthropic'; name: string; upstream: Dialect; becomes: RegExp }>([
  { client: 'google', name: 'server.tool', upstream: openAiChat, becomes: /^server_tool_[0-9a-f]{8}$/ },
  { client: 'google', name: 'server:tool', upstream: openAiResponses, becomes: /^server_tool_[0-9a-f]{8}$/ },
  { client: 'google', name: 'server.tool', upstream: anthropic, becomes: /^server_tool_[0-9a-f]{8}$/ },
  { client: 'google', name: 'server.tool', upstream: ollama, becomes: /^server\.tool$/ },
  { client: 'google', name: 'server-tool_1', upstream: anthropic, becomes: /^server-tool_1$/ },
  { client: 'anthropic', name: '1password__read', upstream: google, becomes: /^_1password__read_[0-9a-f]{8}$/ },
  { client: 'anthropic', name: '-x', upstream: google, becomes: /^_-x_[0-9a-f]{8}$/ },
  { client: 'anthropic', name: 'read-1', upstream: google, becomes: /^read-1$/ },
  { client: 'anthropic', name: '1password__read', upstream: openAiChat, becomes: /^1password__read$/ },
  { client: 'anthropic', name: LONG, upstream: openAiChat, becomes: /^mcp__(?:server_)+s?\w*_[0-9a-f]{8}$/ },
])('$name of $client at $upstream.name', ({ client, name, upstream, becomes }) => {
  const sent = sentTo(upstream, client === 'google' ? google : anthropic, asked[client](name))
  const names = [...sent.matchAll(/"(?:name|allowedFunctionNames)":\[?"([^"]*)"/g)].map(([, one = '']) => one)
  expect(new Set(names).size).toBe(1) // the tool, and the choice of it
  expect(names[0]).toMatch(becomes)
  expect(names[0]?.length).toBeLessThanOrEqual(64)
})

test('two names that differ in one such character stay two', () => {
  const both = ['a.b', 'a:b'].map((name) => sentTo(openAiChat, google, asked.google(name)))
  expect(new Set(both).size).toBe(2)
})

test('the client is told of its own name', () => {
  const body = asked.google('server.tool')
  const [endpoint] = google.endpoints
  if (endpoint === undefined) throw new Error('no endpoint')
  const call: Call = { endpoint, param: 'm', url: endpoint.path, headers: {}, body: Buffer.from(JSON.stringify(body)) }
  const spoken = { dialect: openAiChat, grade: 'translate', instead: openAiChat } as const
  const facts = { requestId: 'r', nowS: 1, elapsedNs: () => 1 }
  const { body: sent, answer } = translate(google, spoken, call, { model: 'm', provider: 'openai' }, facts)
  const { name } = JSON.parse(sent.toString()).tools[0].function
  const called = { id: 'a', type: 'function', function: { name, arguments: '{}' } }
  const message = { role: 'assistant', content: null, tool_calls: [called] }
  const whole = { id: 'c', model: 'm', choices: [{ index: 0, message, finish_reason: 'tool_calls' }] }
  expect(String(answer(Buffer.from(JSON.stringify(whole)), false))).toContain('"name":"server.tool"')
})
