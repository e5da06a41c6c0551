import { expect, test } from 'vitest'
import { edited } from '../../../../../daemon/translate/json-splice.ts'
import { foreignThoughtsEdits } from '../../../../../daemon/translate/ollama/foreign-thoughts.ts'

const call = { id: 'a', function: { name: 'get_weather', arguments: {} } }
const message = { role: 'assistant', content: '', thinking: 'Hm.' }
const bodyOf = (...calls: readonly object[]) =>
  Buffer.from(JSON.stringify({ model: 'm', messages: [{ ...message, tool_calls: calls }], stream: false }))
const SIGNED = bodyOf({ ...call, thought_signature: 'eyJnYXRlIjpb' }, call)

test.each([
  {
    name: 'a signature goes, the thought and the calls stay',
    provider: 'ollama',
    body: SIGNED,
    to: bodyOf(call, call),
  },
  { name: 'another gateway takes it', provider: 'peer', body: SIGNED, to: SIGNED },
  { name: 'nothing is changed where there is none', provider: 'ollama', body: bodyOf(call), to: bodyOf(call) },
])('$name', ({ provider, body, to }) => {
  expect(String(edited(body, foreignThoughtsEdits(body, provider)))).toBe(String(to))
})
