import type { FeatureRow } from '../features.ts'
import type { Feature } from '../neutral.ts'

/** How upstreams differ that all speak this dialect. */
export type Quirks = {
  /** Whether it reports the usage of a stream when asked; `refused`: it does so unasked, and refuses unknown keys. */
  readonly usage: 'asked' | 'unknown' | 'refused'
  /** The field that limits the answer. */
  readonly limit: 'max_tokens' | 'max_completion_tokens'
  /** The field of a message in which it takes back what it thought; null: it does not. */
  readonly thinking: 'reasoning_content' | 'reasoning' | null
  /** It takes `top_k`. */
  readonly hasTopK: boolean
  /** The model's template is told whether to think. */
  readonly hasTemplate: boolean
}

const USUAL: Quirks = {
  usage: 'asked',
  limit: 'max_tokens',
  thinking: null,
  hasTopK: false,
  hasTemplate: false,
}
const ENGINE: Quirks = { ...USUAL, thinking: 'reasoning_content', hasTopK: true, hasTemplate: true }

const QUIRKS: Readonly<Record<string, Quirks>> = {
  openai: { ...USUAL, limit: 'max_completion_tokens' },
  anthropic: USUAL,
  google: USUAL,
  groq: USUAL,
  xai: USUAL,
  ollama: USUAL,
  deepseek: { ...USUAL, thinking: 'reasoning_content' },
  openrouter: { ...USUAL, hasTopK: true, thinking: 'reasoning' },
  together: { ...USUAL, hasTopK: true },
  lmstudio: { ...USUAL, hasTopK: true },
  'llama-cpp': ENGINE,
  vllm: { ...ENGINE, thinking: 'reasoning' },
  mistral: { ...USUAL, usage: 'refused' },
}
const UNKNOWN: Quirks = { ...USUAL, usage: 'unknown' }

export const quirksOf = (provider: string): Quirks => QUIRKS[provider] ?? UNKNOWN

/** What a provider does otherwise than OpenAI. */
export function exceptionsOf(provider: string): Partial<Record<Feature, FeatureRow>> {
  const { hasTopK, thinking } = quirksOf(provider)
  return {
    ...(hasTopK && { 'top k': { field: 'top_k', does: 'native' } }),
    ...(thinking !== null && {
      'earlier thinking': { field: thinking, does: 'native' },
      'unsigned thinking': { field: thinking, does: 'native' },
    }),
  }
}
