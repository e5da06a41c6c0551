import { expect, test } from 'vitest'
import { readFactsOf, writeFacts } from '../../../../../daemon/translate/openai-chat/facts.ts'
import { readFacts } from '../../../../../daemon/translate/openai-chat/models.ts'

test.each([
  {
    engine: 'llama.cpp',
    says: { architecture: { input_modalities: ['text'] }, meta: { n_ctx: 8_192, n_ctx_train: 1_048_576 } },
    facts: { contextTokens: 8_192, input: ['text'] },
  },
  { engine: 'llama.cpp before 0.7', says: { meta: { n_ctx_train: 32_768 } }, facts: { contextTokens: 32_768 } },
  { engine: 'vLLM', says: { max_model_len: 40_960 }, facts: { contextTokens: 40_960 } },
  {
    engine: 'LM Studio',
    says: { max_context_length: 131_072, loaded_context_length: 4_096 },
    facts: { contextTokens: 4_096 },
  },
  {
    engine: 'OpenRouter',
    says: {
      context_length: 200_000,
      architecture: { input_modalities: ['image', 'text', 'smell'], output_modalities: ['text'] },
      top_provider: { context_length: 100_000, max_completion_tokens: 64_000 },
      supported_parameters: ['tools', 'reasoning'],
      pricing: { prompt: '0.000003', completion: '0.000015', input_cache_read: '0.0000003' },
    },
    facts: {
      contextTokens: 100_000,
      outputTokens: 64_000,
      input: ['text', 'image'],
      output: ['text'],
      tools: true,
      reasoning: true,
      price: { input: 3_000_000, output: 15_000_000, cacheRead: 300_000 },
    },
  },
  {
    engine: 'Mistral',
    says: { max_context_length: 262_144, capabilities: { function_calling: true } },
    facts: { contextTokens: 262_144, tools: true },
  },
  {
    engine: 'Mistral, of one that sees',
    says: {
      max_context_length: 1,
      capabilities: { function_calling: false, vision: true, audio: true, reasoning: true },
    },
    facts: { contextTokens: 1, input: ['text', 'image', 'audio'], tools: false, reasoning: true },
  },
  {
    engine: 'Groq',
    says: { active: true, context_window: 131_072, max_completion_tokens: 32_768 },
    facts: { contextTokens: 131_072, outputTokens: 32_768 },
  },
  {
    engine: 'Together',
    says: {
      type: 'chat',
      context_length: 131_072,
      pricing: { hourly: 0, input: 0.6, output: 1.7, base: 0, finetune: 0 },
    },
    facts: { contextTokens: 131_072, price: { input: 600_000, output: 1_700_000 } },
  },
  {
    engine: 'Together, of one for rent',
    says: { type: 'chat', pricing: { hourly: 2, input: 0, output: 0, base: 0, finetune: 0 } },
    facts: {},
  },
  {
    engine: 'Fireworks',
    says: { context_length: 262_144, supports_chat: true, supports_image_input: true, supports_tools: true },
    facts: { contextTokens: 262_144, input: ['text', 'image'], tools: true },
  },
  {
    engine: 'Moonshot',
    says: { context_length: 262_144, supports_image_in: true, supports_video_in: true, supports_reasoning: true },
    facts: { contextTokens: 262_144, input: ['text', 'image', 'video'], reasoning: true },
  },
  {
    engine: 'Cohere',
    says: { context_length: 256_000, endpoints: ['chat'], features: ['json_mode', 'tools', 'strict_tools'] },
    facts: { contextTokens: 256_000, input: ['text'], tools: true },
  },
  {
    engine: 'LM Studio, in its own list',
    says: { type: 'vlm', state: 'not-loaded', max_context_length: 32_768, capabilities: ['tool_use'] },
    facts: { contextTokens: 32_768, input: ['text', 'image'], tools: true },
  },
  {
    engine: 'LM Studio, of a model for text',
    says: { type: 'llm', max_context_length: 8_192 },
    facts: { contextTokens: 8_192, input: ['text'] },
  },
  { engine: 'OpenAI', says: {}, facts: {} },
  {
    engine: 'one that says nonsense',
    says: { context_length: '8k', max_model_len: -1, pricing: { prompt: 'free', completion: '' }, meta: [] },
    facts: {},
  },
])('reads what $engine says of a model', ({ says, facts }) => {
  expect(readFactsOf({ id: 'm', ...says })).toEqual(facts)
})

test('what is written is read again', () => {
  const facts = {
    contextTokens: 65_536,
    outputTokens: 8_192,
    input: ['text', 'image'],
    output: ['text'],
    tools: true,
    reasoning: false,
    price: { input: 1, output: 10_000_000, cacheRead: 0, cacheWrite: 125_000 },
  } as const
  expect(readFactsOf(JSON.parse(JSON.stringify(writeFacts(facts))))).toEqual(facts)
  expect(writeFacts({})).toEqual({})
})

test('facts are found by id, and a list of ids alone has none', () => {
  expect([...readFacts({ data: [{ id: 'a', max_model_len: 1 }, { id: 'b' }] })]).toEqual([
    ['a', { contextTokens: 1 }],
    ['b', {}],
  ])
  expect(readFacts(['a']).size).toBe(0)
})
