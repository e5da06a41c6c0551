import { expect, test } from 'vitest'
import { CASES } from './cases.ts'
import { problemsOf, type Shape } from './schemas.ts'

/** What clients of each dialect send. */
const REQUESTS: Readonly<Record<string, Shape>> = {
  'openai-chat': 'openai:ChatCompletionCreateParams',
  'openai-responses': 'openai:ResponseCreateParams',
  anthropic: 'anthropic:MessageCreateParams',
  google: 'google:GenerateContentRequest',
  ollama: 'ollama:ChatRequest',
  '/api/generate': 'ollama:GenerateRequest',
}

test.each(CASES.filter(({ beyond_sdk: isBeyond }) => isBeyond !== true))(
  'the client of $name sends what its SDK could',
  ({ ingress, path, client_request: request }) => {
    const shape = REQUESTS[path ?? ingress]
    expect(shape === undefined ? [] : problemsOf(shape, request)).toEqual([])
  },
)

test.each([
  { shape: 'openai:ChatCompletionCreateParams', value: { model: 'm', messages: [], top_k: 1 }, wrong: 'top_k' },
  { shape: 'openai:ChatCompletionChunk', value: { id: '1', choices: [] }, wrong: 'created' },
  { shape: 'openai:ResponseCreateParams', value: { model: 'm', input: 'x', max_tokens: 1 }, wrong: 'max_tokens' },
  { shape: 'openai:Response', value: { id: '1', object: 'response', output: [] }, wrong: 'created_at' },
  {
    shape: 'openai:ResponseStreamEvent',
    value: { type: 'response.output_text.delta', item_id: '1', output_index: 0, content_index: 0, delta: 'x' },
    wrong: 'sequence_number',
  },
  { shape: 'anthropic:MessageCreateParams', value: { model: 'm', messages: [] }, wrong: 'max_tokens' },
  {
    shape: 'anthropic:MessageCreateParams',
    value: { model: 'm', max_tokens: 1, messages: [{ role: 'tool', content: 'x' }] },
    wrong: 'role',
  },
  { shape: 'anthropic:RawMessageStreamEvent', value: { type: 'content_block_stop' }, wrong: 'index' },
  {
    shape: 'google:GenerateContentRequest',
    value: { contents: [{ role: 'assistant', parts: [] }] },
    wrong: 'role',
  },
  {
    shape: 'google:GenerateContentRequest',
    value: { contents: [{ role: 'user', parts: [{ functionResponse: { name: 'f', response: '4' } }] }] },
    wrong: 'response',
  },
  { shape: 'google:GenerateContentRequest', value: { contents: [], messages: [] }, wrong: 'messages' },
  {
    shape: 'google:GenerateContentRequest',
    value: {
      contents: [],
      tools: [{ functionDeclarations: [{ name: 'f', parameters: { additionalProperties: false } }] }],
    },
    wrong: 'additionalProperties',
  },
  { shape: 'google:GenerateContentResponse', value: { candidates: [{ finishReason: 'stop' }] }, wrong: 'finishReason' },
  { shape: 'ollama:ChatRequest', value: { model: 'm', messages: [{ role: 'user', content: [] }] }, wrong: 'content' },
  { shape: 'ollama:ChatResponse', value: { model: 'm', created_at: '', done: false }, wrong: 'message' },
] satisfies { shape: Shape; value: unknown; wrong: string }[])('$shape refuses a body over $wrong', (row) => {
  expect(problemsOf(row.shape, row.value).join('\n')).toContain(row.wrong)
})
