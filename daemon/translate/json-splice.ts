import { type JsonMember, type JsonOutline, outlineOf } from '../../syntax/json/outline.ts'

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

/** What writes a member anew. @param change of its value */
export function memberEdits(
  body: Buffer,
  outline: JsonOutline,
  name: string,
  change: (value: unknown) => unknown,
): Edit[] {
  const members = outline.kind === 'object' ? outline.members : []
  return members
    .filter(({ key }) => key === name)
    .map(({ start, end }) => ({
      start,
      end,
      text: JSON.stringify(change(JSON.parse(body.toString('utf8', start, end)))),
    }))
}

/**
 * The same object with other members, in their order: each value as the client wrote it.
 * @param nameOf the name of a member from now on; null leaves it out @param more members that follow
 */
export function remade(
  body: Buffer,
  outline: JsonOutline,
  nameOf: (key: string) => string | null,
  more: Readonly<Record<string, unknown>> = {},
): Buffer {
  const members = outline.kind === 'object' ? outline.members : []
  const parts: Buffer[] = []
  const add = (name: string, value: Buffer) => {
    parts.push(Buffer.from(`${parts.length === 0 ? '{' : ','}${JSON.stringify(name)}:`), value)
  }
  for (const { key, start, end } of members) {
    const name = nameOf(key)
    if (name !== null) add(name, body.subarray(start, end))
  }
  for (const [name, value] of Object.entries(more)) add(name, Buffer.from(JSON.stringify(value)))
  return Buffer.concat([...parts, Buffer.from(parts.length === 0 ? '{}' : '}')])
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

/** An object as JSON, and where its members are in it: what Gate wrote itself need not be searched for them. */
export function written(object: object): { readonly body: Buffer; readonly outline: JsonOutline } {
  const members: JsonMember[] = []
  let text = '{'
  let at = 1
  for (const [key, value] of Object.entries(object)) {
    const json: string | undefined = JSON.stringify(value)
    if (json === undefined) continue
    const name = `${members.length === 0 ? '' : ','}${JSON.stringify(key)}:`
    const start = at + Buffer.byteLength(name)
    at = start + Buffer.byteLength(json)
    text += name + json
    members.push({ key, start, end: at })
  }
  return { body: Buffer.from(`${text}}`), outline: { kind: 'object', members } }
}
