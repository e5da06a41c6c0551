import { parsedRecord, recordsIn, textIn } from '../json-value.ts'
import type { ReasoningPart, RedactedPart } from '../neutral.ts'

/** Who signs thoughts in this dialect, unless it is said otherwise. */
export const SIGNED_BY = 'google'

/** Thinking that its provider has signed, or sealed. */
type Signed = ReasoningPart | RedactedPart

const MARK = 'gate'

/**
 * The thoughts before the next call, for its signature. Clients give the signature of a call back, but not what was
 * thought, without which other providers refuse the next turn: so it is all in there.
 */
export class Signatures {
  #kept: Signed[] = []

  keep(part: Signed): void {
    if (part.kind === 'redacted' || part.signature !== null) this.#kept.push(part)
  }

  /** @returns base64, as every signature here; null: there is nothing to give back */
  take(): string | null {
    const kept = this.#kept
    this.#kept = []
    const own = kept.findLast((part) => part.kind === 'reasoning' && part.signedBy === SIGNED_BY)
    if (own?.kind === 'reasoning') return own.signature
    if (kept.length === 0) return null
    const parts = kept.map((part) =>
      part.kind === 'redacted' ? { sealed: part.sealed } : { text: part.text, signature: part.signature },
    )
    return Buffer.from(JSON.stringify({ [MARK]: parts })).toString('base64')
  }
}

const BEGINNING = Buffer.from(`{"${MARK}":[{`).toString('base64').slice(0, 12)

/** The thoughts that the signature of a call holds; one of Google's own is the signature of a thought without words. */
export function thoughtsIn(signature: string | null): readonly Signed[] {
  if (signature === null || signature === '') return []
  const own: Signed = { kind: 'reasoning', text: '', signature, signedBy: SIGNED_BY }
  if (!signature.startsWith(BEGINNING)) return [own]
  const kept = parsedRecord(Buffer.from(signature, 'base64').toString('utf8'))
  if (kept === null) return [own]
  return recordsIn(kept[MARK]).map(
    ({ sealed, text, signature: signed }): Signed =>
      typeof sealed === 'string'
        ? { kind: 'redacted', sealed }
        : { kind: 'reasoning', text: textIn(text) ?? '', signature: textIn(signed) },
  )
}
