import { expect, test } from 'vitest'
import { DIALECTS } from '../../../../daemon/translate/dialects.ts'

const GOOD: Readonly<Record<string, object>> = {
  'openai-chat': { model: 'm', messages: [{ role: 'user', content: 'hi' }] },
  'openai-responses': { model: 'm', input: 'hi' },
  anthropic: { model: 'm', max_tokens: 9, messages: [{ role: 'user', content: 'hi' }] },
  google: { contents: [{ role: 'user', parts: [{ text: 'hi' }] }] },
  ollama: { model: 'm', messages: [{ role: 'user', content: 'hi' }] },
}

function read(name: string, more: object) {
  const dialect = DIALECTS.all.find((one) => one.name === name)
  const endpoint = dialect?.endpoints.find(({ does }) => does === 'generate')
  if (dialect?.neutral === undefined || endpoint === undefined) throw new Error(`no dialect ${name}`)
  const body = Buffer.from(JSON.stringify({ ...GOOD[name], ...more }))
  return dialect.neutral.readRequest({ endpoint, param: 'm', url: endpoint.path, headers: {}, body })
}

test.each([
  { name: 'openai-responses', field: 'previous_response_id', value: 5 },
  { name: 'openai-responses', field: 'background', value: 'yes' },
  { name: 'openai-responses', field: 'store', value: 'no' },
  { name: 'openai-responses', field: 'instructions', value: 5 },
  { name: 'openai-responses', field: 'tools', value: 'x' },
  { name: 'openai-responses', field: 'text', value: 5 },
  { name: 'openai-responses', field: 'max_output_tokens', value: 'x' },
  { name: 'openai-chat', field: 'temperature', value: 'hot' },
  { name: 'openai-chat', field: 'stop', value: 5 },
  { name: 'openai-chat', field: 'response_format', value: 'json' },
  { name: 'anthropic', field: 'tools', value: { a: 1 } },
  { name: 'anthropic', field: 'max_tokens', value: 'many' },
  { name: 'anthropic', field: 'stop_sequences', value: 'a' },
  { name: 'anthropic', field: 'tool_choice', value: 5 },
  { name: 'anthropic', field: 'thinking', value: 5 },
  { name: 'google', field: 'systemInstruction', value: 5 },
  { name: 'google', field: 'tools', value: 'x' },
  { name: 'ollama', field: 'options', value: 5 },
  { name: 'ollama', field: 'format', value: 5 },
  { name: 'ollama', field: 'tools', value: 'x' },
  { name: 'ollama', field: 'think', value: 5 },
])('$name refuses $field: $value', ({ name, field, value }) => {
  expect(() => read(name, { [field]: value })).toThrow(expect.objectContaining({ code: 'BAD_REQUEST', param: field }))
  expect(() => read(name, { [field]: null })).not.toThrow()
})

test.each([
  { name: 'google', more: { generationConfig: { temperature: 'hot' } }, param: 'generationConfig.temperature' },
  { name: 'ollama', more: { options: { stop: 5 } }, param: 'options.stop' },
])('$name refuses $param of a wrong type', ({ name, more, param }) => {
  expect(() => read(name, more)).toThrow(expect.objectContaining({ code: 'BAD_REQUEST', param }))
})
