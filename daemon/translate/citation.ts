import { type JsonRecord, numberIn, recordIn, recordsIn, textIn } from './json-value.ts'

/** What a text rests on. `range`: the characters of its part that do, the end excluded; null: all of it, or not said. */
export type Citation = {
  readonly url: string
  readonly title: string | null
  readonly range: { readonly start: number; readonly end: number } | null
}

/** For a part: nothing where there are none. */
export const withCitations = (citations: readonly Citation[]): { readonly citations?: readonly Citation[] } =>
  citations.length === 0 ? {} : { citations }

/** Annotations of OpenAI's: those that name an address. What names a file is of no use elsewhere. */
export const citationsIn = (annotations: unknown): readonly Citation[] =>
  recordsIn(annotations).flatMap((annotation) => citationIn(annotation) ?? [])

/** In chat completions its fields are in an object of their own. */
function citationIn(annotation: JsonRecord): Citation | null {
  if (annotation['type'] !== 'url_citation') return null
  const { url, title, start_index: start, end_index: end } = { ...annotation, ...recordIn(annotation['url_citation']) }
  const [from, to] = [numberIn(start), numberIn(end)]
  const range = from === null || to === null || to <= from ? null : { start: from, end: to }
  return typeof url === 'string' ? { url, title: textIn(title), range } : null
}

/** The fields of an annotation of OpenAI's. @param all the characters that the text is, of which `range` counts */
export function urlCitation({ url, title, range }: Citation, all: { readonly start: number; readonly end: number }) {
  const { start, end } = range === null ? all : { start: all.start + range.start, end: all.start + range.end }
  return { url, title: title ?? url, start_index: start, end_index: end }
}
