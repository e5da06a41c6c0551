import { holds } from './json-find.ts'
import { parsedRecord, recordsIn, textIn } from './json-value.ts'
import type { AnswerPart, ReasoningPart, RedactedPart } from './neutral.ts'

// Google signs the thought behind a call, and clients give that signature back with the call: those of its own API, and
// those of OpenAI's chat completions in a field that Google has added. What other providers thought has no such place,
// and without it they refuse the next turn, or think again: so it is all put into the signature of the call.

/** Whose signatures are signatures of calls. */
export const SIGNED_BY = 'google'

/** What a model thought, as its provider takes it back. */
export type Thought = ReasoningPart | RedactedPart

/** Whether a thought has to come back whole; one without a signature comes back as it is shown. */
export const isSigned = (part: AnswerPart): part is Thought =>
  part.kind === 'redacted' || (part.kind === 'reasoning' && part.signature !== null)

const MARK = 'gate'

/** The thoughts before the next call, for its signature. */
export class CallSignatures {
  #kept: Thought[] = []

  keep(thought: Thought): void {
    this.#kept.push(thought)
  }

  /** @returns base64, as every signature here; null: there is nothing to give back */
  take(): string | null {
    const kept = this.#kept
    this.#kept = []
    const own = kept.findLast((part) => part.kind === 'reasoning' && part.signedBy === SIGNED_BY)
    if (own?.kind === 'reasoning') return own.signature
    if (kept.length === 0) return null
    const parts = kept.map((part) =>
      part.kind === 'redacted'
        ? { sealed: part.sealed }
        : { text: part.text, signature: part.signature, signedBy: part.signedBy },
    )
    return Buffer.from(JSON.stringify({ [MARK]: parts })).toString('base64')
  }
}

const BEGINNING = Buffer.from(`{"${MARK}":[{`).toString('base64').slice(0, 12)

/** From its first capital on: a search stops wherever its first character is, and texts are full of small letters. */
const SOUGHT = BEGINNING.slice(BEGINNING.search(/[A-Z]/))

/** Whether a body may have signatures that Gate has made: a conversation that began with another provider. */
export const mayHoldOurs = (body: Buffer): boolean => holds(body, SOUGHT)

export const isOurs = (signature: unknown): boolean => typeof signature === 'string' && signature.startsWith(BEGINNING)

/** The thoughts that the signature of a call holds; one of Google's own is the signature of a thought without words. */
export function thoughtsIn(signature: string | null): readonly Thought[] {
  if (signature === null || signature === '') return []
  const own: Thought = { kind: 'reasoning', text: '', signature, signedBy: SIGNED_BY }
  if (!isOurs(signature)) return [own]
  const kept = parsedRecord(Buffer.from(signature, 'base64').toString('utf8'))
  if (kept === null) return [own]
  return recordsIn(kept[MARK]).map(
    ({ sealed, text, signature: signed, signedBy }): Thought =>
      typeof sealed === 'string'
        ? { kind: 'redacted', sealed }
        : {
            kind: 'reasoning',
            text: textIn(text) ?? '',
            signature: textIn(signed),
            signedBy: textIn(signedBy) ?? undefined,
          },
  )
}

/** What was thought before a call was thought before the text that leads to it: there it belongs. */
export function thoughtsFirst<Part extends { readonly kind: string }>(parts: readonly Part[]): readonly Part[] {
  const ordered: Part[] = []
  let begin = 0 // after the last call
  for (const part of parts) {
    if (part.kind === 'redacted' || part.kind === 'reasoning') {
      ordered.splice(begin, 0, part)
      begin += 1
      continue
    }
    ordered.push(part)
    if (part.kind === 'call') begin = ordered.length
  }
  return ordered
}
