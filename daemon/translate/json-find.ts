import { GateError } from '../../schemas/words/errors.ts'
import { CLOSING_BRACE, CLOSING_BRACKET, OPENING_BRACE, OPENING_BRACKET } from '../../syntax/json/brackets.ts'

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COLON = 0x3a
const COMMA = 0x2c

/**
 * What the key, its value and what follows them may take together; with more, parsing the whole is as fast as walking
 * over it.
 */
const MAX_TAIL_BYTES = 4_096

/** How JSON may escape a letter, or a low line. */
const ESCAPED_LETTER = /\\u00(?:[46][1-9a-f]|[57][0-9a]|5f)/i

/**
 * Parses the value of one key of a JSON object, or of some, and none of the rest, which is faster when it is near the end: usage
 * does. Of a key that appears twice it is the last value, as for JSON.parse. The JSON itself is not checked.
 * @param key letters a-z and low lines only
 * @param others keys that are left out where they are not found in the same way
 * @returns an object with these keys alone; null when the first needs a parser: the key is not near the end, may follow once
 *   more spelled with escapes, or is not surely one of the outermost object
 * @throws SyntaxError when the value is not JSON
 */
export function onlyOutermost(
  json: Buffer,
  key: string,
  ...others: readonly string[]
): Readonly<Record<string, unknown>> | null {
  const first = Math.max(0, json.length - MAX_TAIL_BYTES)
  // of the same length as the bytes; a value is decoded when it is found
  const text = first === 0 ? textOf(json) : json.toString('latin1', first)
  const place = placeOf(text, key)
  if (place === null) return null
  const valueAt = ([start, end]: Place): unknown => JSON.parse(json.toString('utf8', first + start, first + end))
  const found: Record<string, unknown> = { [key]: valueAt(place) }
  for (const other of others) {
    const otherPlace = text.includes(`${other}"`) ? placeOf(text, other) : null
    if (otherPlace !== null) found[other] = valueAt(otherPlace)
  }
  return found
}

/** Where a value starts and ends. */
type Place = readonly [number, number]

function placeOf(text: string, key: string): Place | null {
  const ending = `${key}"` // without its first quote: JSON is full of quotes, at each of which a search would stop
  const at = text.lastIndexOf(ending)
  if (at < 2 || text.charCodeAt(at - 1) !== QUOTE || text.charCodeAt(at - 2) === BACKSLASH) return null
  if (text.includes('\\u', at) && ESCAPED_LETTER.test(text.slice(at))) return null
  const colon = pastSpace(text, at + ending.length)
  if (text.charCodeAt(colon) !== COLON) return null // it is a value
  const end = endOfOutermost(text, colon + 1)
  return end === null ? null : [colon + 1, end]
}

/**
 * Walks from a value to the end of the text.
 * @returns where the value ends; null unless only one object is open around it
 */
function endOfOutermost(text: string, start: number): number | null {
  let depth = 0
  let end: number | null = null
  for (let i = start; i < text.length; i += 1) {
    const character = text.charCodeAt(i)
    if (character === QUOTE) i = closingQuote(text, i)
    else if (character === OPENING_BRACE || character === OPENING_BRACKET) depth += 1
    else if (character === COMMA) {
      if (depth === 0) end ??= i
    } else if (character === CLOSING_BRACE || character === CLOSING_BRACKET) {
      if (depth === 0) return pastSpace(text, i + 1) === text.length ? (end ?? i) : null
      depth -= 1
    }
  }
  return null
}

function closingQuote(text: string, opening: number): number {
  let i = opening + 1
  while (i < text.length && text.charCodeAt(i) !== QUOTE) i += text.charCodeAt(i) === BACKSLASH ? 2 : 1
  return i
}

function pastSpace(text: string, start: number): number {
  let i = start
  while (i < text.length && isSpace(text.charCodeAt(i))) i += 1
  return i
}

function isSpace(character: number): boolean {
  return character === 0x20 || character === 0x0a || character === 0x0d || character === 0x09
}

/** A string that is one such word. */
const WORD = /^"(?:[a-z_]|\\u00(?:[46][1-9a-f]|[57][0-9a]|5f)){7,24}"$/i
const LONGEST_WORD_BYTES = 2 + 24 * 6
/** What an escape of a letter has after its backslash, at each of which a search would stop. */
const ESCAPE = 'u00'
/** With more that may be escapes than this, a parser is to look. */
const MOST_ESCAPED = 1_000

/**
 * Whether JSON may hold one of these words as a string, however its letters are spelled; a quick look at bytes, for what
 * is nearly always false.
 * @param words 7 to 24 letters and low lines, perhaps with the quote after them: a search for what begins with a
 *   quote or a backslash would stop at each of a text that is full of them
 */
export function mayHold(json: Buffer, ...words: readonly string[]): boolean {
  for (const word of words) if (holds(json, word)) return true
  return hasEscapedWord(json)
}

/** Up to here a text is searched sooner than bytes are. */
const SHORT_BYTES = MAX_TAIL_BYTES

/** The short bytes that were searched last, and their text: one body is searched for several words in turn. */
let latest: Buffer = Buffer.alloc(0)
let latestText = ''

/** Whether bytes hold a word of ASCII. They do not change after that. */
export const holds = (bytes: Buffer, word: string): boolean => placeIn(bytes, word) !== -1

/** Where bytes, which do not change after that, hold a word of ASCII first; -1: nowhere. */
export function placeIn(bytes: Buffer, word: string): number {
  return bytes.length > SHORT_BYTES ? bytes.indexOf(word) : textOf(bytes).indexOf(word)
}

/** Short bytes as latin1. */
function textOf(bytes: Buffer): string {
  if (bytes !== latest) {
    latest = bytes
    latestText = bytes.toString('latin1')
  }
  return latestText
}

function hasEscapedWord(json: Buffer): boolean {
  if (!holds(json, ESCAPE)) return false
  let at = json.indexOf(ESCAPE)
  for (let count = 0; at !== -1; count += 1) {
    if (count === MOST_ESCAPED) return true
    let next = at + ESCAPE.length
    if (json[at - 1] === BACKSLASH) {
      const opening = json.lastIndexOf(QUOTE, at)
      const closing = json.indexOf(QUOTE, at)
      if (closing === -1) return false
      const isShort = closing - opening < LONGEST_WORD_BYTES
      if (isShort && WORD.test(json.toString('latin1', opening, closing + 1))) return true
      next = closing
    }
    at = json.indexOf(ESCAPE, next)
  }
  return false
}

/**
 * The texts under some keys, at any depth, each or in a list. Of a key that appears twice it is both: parsers disagree
 * on which one counts. @throws GateError INVALID_JSON
 */
export function textsUnder(json: string, keys: ReadonlySet<string>): readonly string[] {
  const found: string[] = []
  let isUnder = false
  for (let start = json.indexOf('"'); start !== -1; ) {
    const end = closingQuote(json, start)
    const isKey = json.charCodeAt(pastSpace(json, end + 1)) === COLON
    if (isKey) isUnder = keys.has(unquoted(json, start, end))
    else if (isUnder) found.push(unquoted(json, start, end))
    start = json.indexOf('"', end + 1)
  }
  return found
}

function unquoted(json: string, start: number, end: number): string {
  const inside = json.slice(start + 1, end)
  if (!inside.includes('\\')) return inside
  try {
    return JSON.parse(`"${inside}"`) as string
  } catch (error) {
    throw new GateError('INVALID_JSON', 'the body is not valid JSON', { cause: error })
  }
}
