import type { Citation } from '../citation.ts'
import { type JsonRecord, recordIn, recordsIn, textIn } from '../json-value.ts'

/** What a candidate says that its text rests on: what was found, and what it quotes at length. */
export function citationsOf({ groundingMetadata, citationMetadata }: JsonRecord): readonly Citation[] {
  const found = recordsIn(recordIn(groundingMetadata)['groundingChunks']).map(({ web }) => recordIn(web))
  const { citationSources, citations } = recordIn(citationMetadata)
  return [...found, ...recordsIn(citationSources), ...recordsIn(citations)].flatMap(({ uri, title }) =>
    typeof uri === 'string' ? [{ url: uri, title: textIn(title), range: null }] : [],
  )
}

/** The same as a candidate says it; nothing where it rests on nothing. */
export function groundingOf(citations: readonly Citation[]): object {
  if (citations.length === 0) return {}
  const groundingChunks = citations.map(({ url, title }) => ({ web: { uri: url, title: title ?? url } }))
  return { groundingMetadata: { groundingChunks } }
}
