import { type JsonOutline, outlineOf } from '../../syntax/json/outline.ts'

const QUOTE = 0x22

/** One change of a body: bytes from `start` to `end` become `text`. */
export type Edit = { readonly start: number; readonly end: number; readonly text: string }

/** The same body with another model id; every other byte stays as the client sent it. @param body one that was read */
export function withModel(body: Buffer, model: string, outline: JsonOutline = outlineOf(body)): Buffer {
  return edited(body, modelEdits(body, model, outline))
}

export function modelEdits(body: Buffer, model: string, outline: JsonOutline = outlineOf(body)): Edit[] {
  const members = outline.kind === 'object' ? outline.members : []
  return members
    .filter(({ key, start }) => key === 'model' && body[start] === QUOTE)
    .map(({ start, end }) => ({ start, end, text: JSON.stringify(model) }))
}

export function edited(body: Buffer, edits: readonly Edit[]): Buffer {
  const parts: Buffer[] = []
  let copied = 0
  for (const { start, end, text } of edits.toSorted((a, b) => a.start - b.start)) {
    parts.push(body.subarray(copied, start), Buffer.from(text))
    copied = end
  }
  parts.push(body.subarray(copied))
  return Buffer.concat(parts)
}
