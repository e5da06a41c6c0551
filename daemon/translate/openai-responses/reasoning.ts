import { type JsonRecord, recordsIn, textIn } from '../json-value.ts'
import type { ReasoningPart, RedactedPart } from '../neutral.ts'

type Signed = Pick<ReasoningPart, 'signature' | 'signedBy'>

/** Whose signature it is that OpenAI sealed. It holds the id of the item, too: `rs_1#…`. */
const SIGNED_BY = 'openai-responses'

/**
 * In `encrypted_content`, which clients send back unread, Gate puts what other providers signed or sealed: behind one of
 * these, and the name of who signed it (`google:`; none: Anthropic). What begins otherwise is OpenAI's own.
 */
const SIGNED = 'gate-signed#'
const SEALED = 'gate-sealed#'
/** What nobody signed: clients forget what has no encrypted content. */
const UNSIGNED = 'gate-unsigned#'

/** Whether it is Gate that wrote what a client keeps of a signature. */
export const isOurs = (sealed: string): boolean =>
  sealed.startsWith(SIGNED) || sealed.startsWith(SEALED) || sealed === UNSIGNED

export const isUnsigned = (sealed: string): boolean => sealed === UNSIGNED

/** A reasoning item, of an answer or of the history. */
export function reasoningOf(item: JsonRecord): ReasoningPart | RedactedPart {
  const sealed = textIn(item['encrypted_content']) ?? ''
  if (sealed.startsWith(SEALED)) return { kind: 'redacted', sealed: sealed.slice(SEALED.length) }
  const text = [...recordsIn(item['summary']), ...recordsIn(item['content'])]
    .map((part) => textIn(part['text']) ?? '')
    .join('\n\n')
  return { kind: 'reasoning', text, ...signatureOf(item) }
}

/** What says that it is the model's own thinking. */
export function signatureOf(item: JsonRecord): Signed {
  const sealed = textIn(item['encrypted_content']) ?? ''
  if (sealed === '' || sealed === UNSIGNED) return { signature: null }
  if (!sealed.startsWith(SIGNED)) return { signature: `${textIn(item['id']) ?? ''}#${sealed}`, signedBy: SIGNED_BY }
  const signature = sealed.slice(SIGNED.length)
  const colon = signature.indexOf(':')
  if (colon === -1) return { signature }
  return { signature: signature.slice(colon + 1), signedBy: signature.slice(0, colon) }
}

/** A reasoning item as the model of an OpenAI upstream made it; null for what is another provider's. */
export function ownItem({ text, signature, signedBy }: ReasoningPart): object | null {
  if (signature === null || signedBy !== SIGNED_BY) return null
  const at = signature.indexOf('#')
  const summary = text === '' ? [] : [{ type: 'summary_text', text }]
  return { type: 'reasoning', id: signature.slice(0, at), summary, encrypted_content: signature.slice(at + 1) }
}

/** What a client keeps of a signature. */
export function sealedOf({ signature, signedBy }: Signed): string {
  if (signature === null) return UNSIGNED
  if (signedBy === SIGNED_BY) return signature.slice(signature.indexOf('#') + 1)
  return SIGNED + (signedBy === undefined ? signature : `${signedBy}:${signature}`)
}

export const sealedOfRedacted = ({ sealed }: RedactedPart): string => SEALED + sealed
