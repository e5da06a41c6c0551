import type { ChatQuirks } from '../../../schemas/words/provider-row.ts'
import { providerRow } from '../../../schemas/words/providers.ts'
import { atMost, type FeatureRow, type FeatureTable } from '../features.ts'
import type { Feature } from '../neutral.ts'

export type Quirks = ChatQuirks

/** How upstreams of a provider differ. */
export const quirksOf = (provider: string): Quirks => providerRow(provider).chat

/** Whether upstreams refuse a field of a request, or do not know it. */
export const isRefused = ({ lacks, takes }: Quirks, field: string): boolean =>
  lacks.includes(field) || takes?.includes(field) === false

/** The word that upstreams have for an effort. */
export function effortFor({ efforts }: Quirks, effort: string): string {
  if (efforts === undefined || efforts.includes(effort)) return effort
  const [least, most] = efforts
  return effort === 'minimal' ? least : most
}

/** What a provider does otherwise than OpenAI. @param usual what OpenAI does */
export function exceptionsOf(provider: string, usual: FeatureTable): Partial<Record<Feature, FeatureRow>> {
  const quirks = quirksOf(provider)
  const { hasTopK, thinking, hasSchemas, hasFreeform, hasTemplate, mostStops, fetchesDocuments, seed, efforts } = quirks
  const here = (field: string) => (field === 'max_completion_tokens' ? quirks.limit : (field.split('.')[0] ?? field))
  const missing = Object.entries(usual).filter(
    ([, { field, does }]) =>
      does === 'native' && field !== 'messages' && field.split(', ').some((one) => isRefused(quirks, here(one))),
  )
  return {
    ...Object.fromEntries(
      missing.map(([feature, { field }]) => [feature, { field, does: 'drop', how: `${provider} does not take it` }]),
    ),
    'answer limit': { field: quirks.limit, does: 'native' },
    ...(seed !== 'seed' && { seed: { field: seed, does: 'native' } }),
    ...(efforts !== undefined && {
      effort: { field: 'reasoning_effort', does: 'emulate', how: `as ${efforts.join(' or ')}` },
    }),
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
    ...(!quirks.hasServices && {
      'service tier': { field: 'service_tier', does: 'drop', how: 'its classes are others, or it has none' },
      verbosity: { field: 'verbosity', does: 'drop', how: 'OpenAI alone is known to have it' },
    }),
    ...(hasTemplate && { 'no thinking': { field: 'chat_template_kwargs', does: 'native' } }),
    'stop sequences': { field: 'stop', does: 'native', ...(mostStops !== null && atMost(mostStops)) },
    ...(fetchesDocuments && { 'document by URL': { field: 'messages', does: 'native' } }),
    ...(hasTopK && { 'top k': { field: 'top_k', does: 'native' } }),
    ...(thinking !== null && {
      'earlier thinking': { field: thinking, does: 'native' },
      'unsigned thinking': { field: thinking, does: 'native' },
      "OpenRouter's thinking": { field: thinking, does: 'emulate', how: 'as its text, without its signature' },
    }),
    ...(quirks.hasDetails && { "OpenRouter's thinking": { field: 'reasoning_details', does: 'native' } }),
  }
}
