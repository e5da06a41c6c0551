import { expect, test } from 'vitest'
import { DIALECTS } from '../../../../daemon/translate/dialects.ts'

type Counts = { readonly read: number; readonly said: number; readonly reasoning: number; readonly total?: number }

/** The words of both APIs for the same. */
const USAGE = {
  'openai-chat': ({ read, said, reasoning, total }: Counts) => ({
    prompt_tokens: read,
    completion_tokens: said,
    ...(total !== undefined && { total_tokens: total }),
    completion_tokens_details: { reasoning_tokens: reasoning },
  }),
  'openai-responses': ({ read, said, reasoning, total }: Counts) => ({
    input_tokens: read,
    output_tokens: said,
    ...(total !== undefined && { total_tokens: total }),
    output_tokens_details: { reasoning_tokens: reasoning },
  }),
} as const
type Api = keyof typeof USAGE

/** The usage of an answer whose bytes pass, whole and as a stream. */
function booked(api: Api, usage: object) {
  const dialect = DIALECTS.all.find(({ name }) => name === api)
  if (dialect === undefined) throw new RangeError(api)
  const watch = dialect.watch()
  const frames = {
    'openai-chat': `data: ${JSON.stringify({ choices: [], usage })}\n\n`,
    'openai-responses': `event: response.completed\ndata: ${JSON.stringify({ type: 'response.completed', response: { usage } })}\n\n`,
  }
  watch.feed(Buffer.from(frames[api]))
  const whole = dialect.usageOf(Buffer.from(JSON.stringify({ usage })))
  expect(watch.usage()).toEqual(whole)
  return whole
}

const APART = { read: 10_120, said: 1_499, reasoning: 2_809, total: 14_428 }

test.each([
  ['apart, as the total shows', APART, 4_308],
  ['among those said', { ...APART, said: 4_308 }, 4_308],
  ['apart or among, without a total', { read: 9, said: 5, reasoning: 3 }, 5],
  ['with a total that fits neither', { ...APART, total: 99 }, 1_499],
  ['not there', { read: 9, said: 5, reasoning: 0, total: 14 }, 5],
  ['alone', { read: 9, said: 0, reasoning: 3, total: 12 }, 3],
])('tokens of reasoning are booked once: %s', (_, counts, outputTokens) => {
  for (const api of Object.keys(USAGE) as Api[]) {
    const { read: inputTokens, reasoning: reasoningTokens } = counts
    expect(booked(api, USAGE[api](counts))).toMatchObject({ inputTokens, outputTokens, reasoningTokens })
  }
})

const CHAT = { prompt_tokens: 1_000, completion_tokens: 5 }

test.each([
  ['with the other details', { prompt_tokens_details: { cached_tokens: 900 } }, 900],
  ['at the top', { cached_tokens: 900 }, 900],
  ['in both places', { cached_tokens: 900, prompt_tokens_details: { cached_tokens: 800 } }, 800],
  ['at the top, beside details of something else', { cached_tokens: 900, prompt_tokens_details: null }, 900],
  ['nowhere', {}, 0],
])('cached tokens are booked as such: said %s', (_, said, cachedTokens) => {
  expect(booked('openai-chat', { ...CHAT, ...said })).toMatchObject({ inputTokens: 1_000, cachedTokens })
})
