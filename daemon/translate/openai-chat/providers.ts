import { type ChatQuirks, providerRow } from '../../../schemas/words/providers.ts'
import type { FeatureRow, FeatureTable } from '../features.ts'
import type { Feature } from '../neutral.ts'

export type Quirks = ChatQuirks

/** How upstreams of a provider differ. */
export const quirksOf = (provider: string): Quirks => providerRow(provider).chat

/** What a provider does otherwise than OpenAI. @param usual what OpenAI does */
export function exceptionsOf(provider: string, usual: FeatureTable): Partial<Record<Feature, FeatureRow>> {
  const { hasTopK, thinking, hasSchemas, lacks } = quirksOf(provider)
  const missing = Object.entries(usual).filter(
    ([, { field, does }]) => does !== 'refuse' && field.split(', ').some((one) => lacks.includes(one)),
  )
  return {
    ...Object.fromEntries(
      missing.map(([feature, { field }]) => [feature, { field, does: 'drop', how: `${provider} does not take it` }]),
    ),
    ...(!hasSchemas && {
      'answer schema': {
        field: 'response_format',
        does: 'emulate',
        how: 'as JSON, with the schema in the instructions',
      },
    }),
    ...(hasTopK && { 'top k': { field: 'top_k', does: 'native' } }),
    ...(thinking !== null && {
      'earlier thinking': { field: thinking, does: 'native' },
      'unsigned thinking': { field: thinking, does: 'native' },
    }),
  }
}
