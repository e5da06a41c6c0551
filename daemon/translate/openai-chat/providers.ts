import { type ChatQuirks, providerRow } from '../../../schemas/words/providers.ts'
import { atMost, type FeatureRow, type FeatureTable } from '../features.ts'
import type { Feature } from '../neutral.ts'

export type Quirks = ChatQuirks

/** How upstreams of a provider differ. */
export const quirksOf = (provider: string): Quirks => providerRow(provider).chat

/** What a provider does otherwise than OpenAI. @param usual what OpenAI does */
export function exceptionsOf(provider: string, usual: FeatureTable): Partial<Record<Feature, FeatureRow>> {
  const { hasTopK, thinking, hasSchemas, hasFreeform, hasTemplate, mostStops, fetchesDocuments, lacks } =
    quirksOf(provider)
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
    ...(!hasFreeform && {
      'freeform tools': { field: 'tools', does: 'emulate', how: 'a function takes the text as `input`' },
    }),
    ...(hasTemplate && { 'no thinking': { field: 'chat_template_kwargs', does: 'native' } }),
    'stop sequences': { field: 'stop', does: 'native', ...(mostStops !== null && atMost(mostStops)) },
    ...(fetchesDocuments && { 'document by URL': { field: 'messages', does: 'native' } }),
    ...(hasTopK && { 'top k': { field: 'top_k', does: 'native' } }),
    ...(thinking !== null && {
      'earlier thinking': { field: thinking, does: 'native' },
      'unsigned thinking': { field: thinking, does: 'native' },
    }),
  }
}
