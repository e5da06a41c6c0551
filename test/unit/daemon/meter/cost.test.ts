import fc from 'fast-check'
import { expect, test } from 'vitest'
import { costMicrodollars } from '../../../../daemon/meter/cost.ts'
import { anthropic } from '../../../../daemon/translate/anthropic/dialect.ts'
import { google } from '../../../../daemon/translate/google/dialect.ts'
import { openAiChat } from '../../../../daemon/translate/openai-chat/dialect.ts'
import { openAiResponses } from '../../../../daemon/translate/openai-responses/dialect.ts'
import { knownFacts } from '../../../../schemas/words/known-models.ts'

const PRICE = { input: 3_000_000, output: 15_000_000, cacheRead: 300_000, cacheWrite: 3_750_000 }
const priceOf = (provider: string, model: string) => knownFacts(provider, model)?.price ?? { input: 0, output: 0 }
const tokens = (inputTokens: number, outputTokens: number, more = {}) => ({
  inputTokens,
  outputTokens,
  cachedTokens: 0,
  ...more,
})

test.each([
  { what: 'nothing', used: tokens(0, 0), cost: 0 },
  { what: 'question and answer', used: tokens(1_000, 500), cost: 10_500 },
  { what: 'one token, rounded up', price: { input: 1, output: 1 }, used: tokens(1, 0), cost: 1 },
  { what: 'a prompt from a cache', used: tokens(1_000, 0, { cachedTokens: 1_000 }), cost: 300 },
  { what: 'a prompt put into a cache', used: tokens(1_000, 0, { cacheWriteTokens: 1_000 }), cost: 3_750 },
  {
    what: 'the same for an hour',
    used: tokens(1_000, 0, { cacheWriteTokens: 1_000, longCacheWriteTokens: 1_000 }),
    cost: 6_000,
  },
  {
    what: 'a cache of no known price: as input',
    price: { input: 10_000_000, output: 0 },
    used: tokens(300, 0, { cachedTokens: 100, cacheWriteTokens: 100 }),
    cost: 3_000,
  },
  {
    what: 'more from a cache than there was: what there was',
    used: tokens(10, 0, { cachedTokens: 1_000, cacheWriteTokens: 1_000 }),
    cost: 3,
  },
  { what: 'a prompt at the limit', price: priceOf('openai', 'gpt-5.4'), used: tokens(272_000, 0), cost: 680_000 },
  { what: 'a longer one', price: priceOf('openai', 'gpt-5.4'), used: tokens(300_000, 1_000), cost: 1_522_500 },
  {
    what: 'the class flex',
    price: priceOf('openai', 'gpt-5-2025-08-07'),
    used: tokens(1_000_000, 0, { service: 'flex' }),
    cost: 625_000,
  },
  {
    what: 'a class of no known price',
    price: priceOf('openai', 'gpt-5'),
    used: tokens(1_000_000, 0, { service: 'default' }),
    cost: 1_250_000,
  },
])('$what costs $cost micro-dollars', ({ price = PRICE, used, cost }) => {
  expect(costMicrodollars(price, used)).toBe(cost)
})

/** The same answer, as each says it: 1,000 tokens in, of which 600 were in a cache and 200 put there; 50 out, 20 thought. */
const REPORTS = [
  {
    dialect: anthropic,
    report: {
      usage: {
        input_tokens: 200,
        cache_read_input_tokens: 600,
        cache_creation_input_tokens: 200,
        output_tokens: 50,
        output_tokens_details: { thinking_tokens: 20 },
      },
    },
  },
  {
    dialect: openAiChat,
    report: {
      usage: {
        prompt_tokens: 1_000,
        completion_tokens: 50,
        prompt_tokens_details: { cached_tokens: 600, cache_write_tokens: 200 },
        completion_tokens_details: { reasoning_tokens: 20 },
      },
    },
  },
  {
    dialect: openAiResponses,
    report: {
      usage: {
        input_tokens: 1_000,
        input_tokens_details: { cached_tokens: 600, cache_write_tokens: 200 },
        output_tokens: 50,
        output_tokens_details: { reasoning_tokens: 20 },
      },
    },
  },
]

test.each(REPORTS)('$dialect.name: cached tokens are paid for once', ({ dialect, report }) => {
  const usage = dialect.usageOf(Buffer.from(JSON.stringify(report)))
  expect(usage).toMatchObject({ inputTokens: 1_000, cachedTokens: 600, cacheWriteTokens: 200, outputTokens: 50 })
  expect(usage && costMicrodollars(PRICE, usage)).toBe(200 * 3 + 180 + 750 + 50 * 15)
})

test('google: cached tokens are paid for once, thoughts as output', () => {
  const usageMetadata = {
    promptTokenCount: 1_000,
    cachedContentTokenCount: 600,
    candidatesTokenCount: 30,
    thoughtsTokenCount: 20,
  }
  const usage = google.usageOf(Buffer.from(JSON.stringify({ usageMetadata })))
  expect(usage && costMicrodollars(PRICE, usage)).toBe(400 * 3 + 180 + 50 * 15)
})

test.each([
  { dialect: openAiChat, report: { usage: { prompt_tokens: 1 }, service_tier: 'flex' }, service: 'flex' },
  { dialect: openAiResponses, report: { service_tier: 'priority', usage: { input_tokens: 1 } }, service: 'priority' },
  {
    dialect: anthropic,
    report: { usage: { input_tokens: 1, service_tier: 'priority' } },
    service: 'priority',
  },
])('$dialect.name says the class of service', ({ dialect, report, service }) => {
  expect(dialect.usageOf(Buffer.from(JSON.stringify(report)))?.service).toBe(service)
})

test('what Anthropic keeps for an hour is told apart', () => {
  const cache_creation = { ephemeral_5m_input_tokens: 100, ephemeral_1h_input_tokens: 200 }
  const usage = { input_tokens: 1, cache_creation_input_tokens: 300, cache_creation, output_tokens: 0 }
  const read = anthropic.usageOf(Buffer.from(JSON.stringify({ usage })))
  expect(read && costMicrodollars(PRICE, read)).toBe(3 + 375 + 200 * 6)
})

const count = fc.integer({ min: 0, max: 2 ** 31 - 1 })
const rate = fc.integer({ min: 0, max: 1_000_000_000 })
const rates = { input: rate, output: rate, cacheRead: rate, cacheWrite: rate }

test('a cost is the exact sum of its parts, rounded up, and never negative (property)', () => {
  const used = fc
    .record({ fresh: count, cachedTokens: count, cacheWriteTokens: count, outputTokens: count })
    .map(({ fresh, ...rest }) => ({ ...rest, inputTokens: fresh + rest.cachedTokens + rest.cacheWriteTokens }))
  fc.assert(
    fc.property(fc.record(rates), used, (price, one) => {
      const { inputTokens, cachedTokens, cacheWriteTokens, outputTokens } = one
      const fresh = inputTokens - cachedTokens - cacheWriteTokens
      const parts: readonly (readonly [number, number])[] = [
        [fresh, price.input],
        [cachedTokens, price.cacheRead],
        [cacheWriteTokens, price.cacheWrite],
        [outputTokens, price.output],
      ]
      const exact = parts.reduce((sum, [many, each]) => sum + BigInt(many) * BigInt(each), 0n)
      const cost = costMicrodollars(price, one)
      expect(Number.isSafeInteger(cost) && cost >= 0).toBe(true)
      const isExact = exact <= BigInt(Number.MAX_SAFE_INTEGER)
      const roundedUp = Number((exact + 999_999n) / 1_000_000n)
      if (isExact) expect(cost).toBe(roundedUp)
      else expect(Math.abs(cost - roundedUp)).toBeLessThanOrEqual(roundedUp * 1e-12)
    }),
    { numRuns: 500 },
  )
})

test('whatever an upstream claims of its tokens, the cost is a whole number that is not negative (property)', () => {
  const any = fc.record({
    inputTokens: count,
    outputTokens: count,
    cachedTokens: count,
    cacheWriteTokens: count,
    longCacheWriteTokens: count,
  })
  const tier = fc.record({ ...rates, service: fc.constantFrom('flex' as const, null), abovePromptTokens: count })
  const price = fc.record({ ...rates, tiers: fc.array(tier, { maxLength: 3 }) })
  fc.assert(
    fc.property(price, any, (one, used) => {
      const cost = costMicrodollars(one, { ...used, service: 'flex' })
      expect(Number.isSafeInteger(cost) && cost >= 0).toBe(true)
    }),
    { numRuns: 500 },
  )
})
