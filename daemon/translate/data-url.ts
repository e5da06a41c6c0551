import type { MediaSource } from './neutral.ts'

const DATA_URL = /^data:([\w.+-]+\/[\w.+-]+)(?:;[\w.+=-]+)*;base64,/
/** Of the text before the data. */
const LONGEST_BEGINNING = 200

/** What is wrong with one that holds nothing. */
export const NEEDS_DATA_URL = 'must have a URL such as "data:image/png;base64,…"'

/** What a `data:` URL holds in base64; null: it is none. */
export function inDataUrl(url: string): MediaSource | null {
  const found = url.startsWith('data:') ? DATA_URL.exec(url.slice(0, LONGEST_BEGINNING)) : null
  return found === null ? null : { kind: 'base64', mediaType: found[1] ?? '', base64: url.slice(found[0].length) }
}
