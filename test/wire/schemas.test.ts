import { expect, test } from 'vitest'
import { CASES } from './cases.ts'
import { problemsOf, type Shape } from './schemas.ts'

/** What clients of each dialect send. */
const REQUESTS: Readonly<Record<string, Shape>> = {
  'openai-chat': 'openai:ChatCompletionCreateParams',
  anthropic: 'anthropic:MessageCreateParams',
}

test.each(CASES.filter(({ beyond_sdk: isBeyond }) => isBeyond !== true))(
  'the client of $name sends what its SDK could',
  ({ ingress, client_request: request }) => {
    const shape = REQUESTS[ingress]
    expect(shape === undefined ? [] : problemsOf(shape, request)).toEqual([])
  },
)

test.each([
  { shape: 'openai:ChatCompletionCreateParams', value: { model: 'm', messages: [], top_k: 1 }, wrong: 'top_k' },
  { shape: 'openai:ChatCompletionChunk', value: { id: '1', choices: [] }, wrong: 'created' },
  { shape: 'anthropic:MessageCreateParams', value: { model: 'm', messages: [] }, wrong: 'max_tokens' },
  {
    shape: 'anthropic:MessageCreateParams',
    value: { model: 'm', max_tokens: 1, messages: [{ role: 'tool', content: 'x' }] },
    wrong: 'role',
  },
  { shape: 'anthropic:RawMessageStreamEvent', value: { type: 'content_block_stop' }, wrong: 'index' },
] satisfies { shape: Shape; value: unknown; wrong: string }[])('$shape refuses a body over $wrong', (row) => {
  expect(problemsOf(row.shape, row.value).join('\n')).toContain(row.wrong)
})
