import { type JsonRecord, numberIn, parsedRecord, recordsIn, textIn } from '../json-value.ts'
import type { ReasoningPart } from '../neutral.ts'

// Beside the text of what was thought, OpenRouter sends a list of what the provider behind it has signed or sealed, and
// wants all of it back, unchanged, with the turn. It is one signature here: that list, as base64.
// https://openrouter.ai/docs/use-cases/reasoning-tokens

/** Whose signature it is. */
const SIGNED_BY = 'openrouter'

type Signed = { readonly signature: string; readonly signedBy: string }

/** What a message or a delta says of its thinking. */
export const detailsIn = (message: JsonRecord): readonly JsonRecord[] => recordsIn(message['reasoning_details'])

/** The signature of a list; null: nothing of it is signed or sealed, and the text is all there is. */
export function signatureOf(details: readonly JsonRecord[]): Signed | null {
  if (!details.some(isSigned)) return null
  return { signature: Buffer.from(JSON.stringify({ details })).toString('base64'), signedBy: SIGNED_BY }
}

const isSigned = ({ signature, data }: JsonRecord): boolean => Boolean(textIn(signature)) || Boolean(textIn(data))

/** The text of a list, for those who get no more of it. */
export const textOf = (details: readonly JsonRecord[]): string =>
  details.map(({ text, summary }) => textIn(text) ?? textIn(summary) ?? '').join('')

/** The list that thoughts were signed with; empty: OpenRouter has not signed them. */
export function detailsOf({ signature, signedBy }: ReasoningPart): readonly JsonRecord[] {
  if (signature === null || signedBy !== SIGNED_BY) return []
  return recordsIn(parsedRecord(Buffer.from(signature, 'base64').toString('utf8'))?.['details'])
}

/** Puts the list together that a stream brings in pieces: a text goes on in the next piece of the same kind. */
export class StreamedDetails {
  #details: JsonRecord[] = []

  add(pieces: readonly JsonRecord[]): void {
    for (const piece of pieces) {
      const last = this.#details.at(-1)
      if (last !== undefined && goesOn(last, piece)) this.#details[this.#details.length - 1] = joined(last, piece)
      else this.#details.push(piece)
    }
  }

  /** The signature of what has come since the last one; null: none of it is signed or sealed yet. */
  take(): Signed | null {
    const signed = signatureOf(this.#details)
    if (signed !== null) this.#details = []
    return signed
  }

  isSigned(): boolean {
    return this.#details.some(isSigned)
  }
}

/** What is sealed comes whole. */
function goesOn(last: JsonRecord, piece: JsonRecord): boolean {
  const isText = textIn(piece['data']) === null
  return isText && last['type'] === piece['type'] && numberIn(last['index']) === numberIn(piece['index'])
}

function joined(last: JsonRecord, piece: JsonRecord): JsonRecord {
  const known = Object.entries(piece).filter(([, value]) => value !== null)
  const texts = ['text', 'summary'].flatMap((key): readonly (readonly [string, string])[] => {
    const [before, after] = [textIn(last[key]), textIn(piece[key])]
    return before === null && after === null ? [] : [[key, (before ?? '') + (after ?? '')]]
  })
  return { ...last, ...Object.fromEntries(known), ...Object.fromEntries(texts) }
}
