import { type ChatQuirks, providerRow } from '../../../schemas/words/providers.ts'
import type { FeatureRow } from '../features.ts'
import type { Feature } from '../neutral.ts'

export type Quirks = ChatQuirks

/** How upstreams of a provider differ. */
export const quirksOf = (provider: string): Quirks => providerRow(provider).chat

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
