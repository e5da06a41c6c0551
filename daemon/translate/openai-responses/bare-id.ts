import { OPENING_BRACE } from '../../../syntax/json/brackets.ts'
import type { JsonOutline } from '../../../syntax/json/outline.ts'
import type { JsonRecord } from '../json-value.ts'

// A reference to an item may be nothing but its id. Nearly every item has an id, so only bytes around each are looked at.

const KEY = 'id"'
const QUOTE = 0x22
const COMMA = 0x2c
const LONGEST_BEFORE = 40
/** Ids are shorter. */
const LONGEST_AFTER = 300
/** What may stand before and after the id of an object that has nothing else, but for a type of `null`. */
const BEFORE = /\{\s*"type"\s*:\s*null\s*,\s*"$/
const AFTER = /^\s*:\s*"[^"]*"\s*(?:,\s*"type"\s*:\s*null\s*)?\}/

/** Whether the input of a request may have an item that is a bare id: a quick look, which may be wrong. */
export function mayHaveBareId(body: Buffer, outline: JsonOutline): boolean {
  const input = outline.kind === 'object' ? outline.members.findLast(({ key }) => key === 'input') : undefined
  if (input === undefined) return false
  for (let at = body.indexOf(KEY, input.start); at !== -1 && at < input.end; at = body.indexOf(KEY, at + KEY.length))
    if (body[at - 1] === QUOTE && begins(body, at - 1) && AFTER.test(after(body, at))) return true
  return false
}

const after = (body: Buffer, at: number): string =>
  body.toString('latin1', at + KEY.length, at + KEY.length + LONGEST_AFTER)

/** Whether nothing comes before a key in its object, but for a type of `null`. */
function begins(body: Buffer, quote: number): boolean {
  let at = quote - 1
  while (isSpace(body[at])) at -= 1
  if (body[at] === OPENING_BRACE) return true
  return body[at] === COMMA && BEFORE.test(body.toString('latin1', Math.max(0, at - LONGEST_BEFORE), quote + 1))
}

const isSpace = (byte: number | undefined): boolean => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09

/** What stands for an item has nothing but an id. */
export const isBareId = ({ type, ...rest }: JsonRecord): boolean =>
  (type ?? null) === null && Object.keys(rest).join() === 'id'
