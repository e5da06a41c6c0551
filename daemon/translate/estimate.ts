import { type JsonOutline, outlineOf } from '../../syntax/json/outline.ts'
import { imageSize } from './image-size.ts'
import { textTokens } from './text-tokens.ts'

const BYTES_PER_TOKEN = 4
/** Vision models see patches of this many pixels a side, and shrink what has more of them than this. */
const PATCH_PIXELS = 32
const MOST_PATCHES = 1_536
/** An image that is named by an address, or whose size cannot be read: 1024 by 1024. */
const USUAL_PATCHES = 1_024
/** Sound and documents: about a second of a voice recording is ten tokens. */
const MEDIA_BYTES_PER_TOKEN = 1_600

/** What a template puts around a turn. */
const TURN_TOKENS = 3
/** Bytes that are looked at one by one; the rest of what is longer is taken to be alike. */
const MOST_BYTES = 2 ** 20
/** What is decoded of an image: its size is near the beginning, after a preview and a colour profile at most. */
const IMAGE_START_BYTES = 64 * 2 ** 10
const LONGEST_MEDIA_TYPE = 100
/** Shorter values of a key named "data" are text. */
const SHORTEST_MEDIA = 256

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COLON = 0x3a
const BASE64 = Buffer.from(';base64,')

/** Tokens of a text: the contents of a JSON string, or a piece of JSON. */
type TextMeasure = (json: Buffer, start: number, end: number) => number

/** What costs nothing to say: right within a third or so. */
const byBytes: TextMeasure = (_json, start, end) => (end - start) / BYTES_PER_TOKEN

/** The tokens of the text and the media in one member of an outermost object; 0 where there is no such member. */
export function tokensIn(json: Buffer, outline: JsonOutline, key: string, measureText = byBytes): number {
  const member = memberOf(outline, key)
  if (member === undefined) return 0
  const { tokens, mediaBytes, mediaTokens, end } = measure(json, member.start, member.end, measureText)
  const seenBytes = Math.max(1, end - member.start - mediaBytes)
  const allBytes = Math.max(seenBytes, member.end - member.start - mediaBytes)
  return Math.ceil(tokens * (allBytes / seenBytes)) + mediaTokens
}

/** The tokens of a member all of which is read by the model, keys included: descriptions of tools. */
export function tokensOfAll(outline: JsonOutline, key: string): number {
  const member = memberOf(outline, key)
  return member === undefined ? 0 : Math.ceil((member.end - member.start) / BYTES_PER_TOKEN)
}

/** The tokens of a whole answer, for an upstream that reports none. @param key what holds what the model said */
export function tokensOfAnswer(answer: Buffer, key: string): number {
  const outline = outlineOf(answer)
  return outline.kind === 'object' ? tokensIn(answer, outline, key) : Math.ceil(answer.length / BYTES_PER_TOKEN)
}

/** The tokens of a request, counted as a tokenizer would cut it: for clients that ask for the number. */
export function countTokens(
  json: Buffer,
  outline: JsonOutline,
  keys: { readonly spoken: readonly string[]; readonly whole: readonly string[]; readonly turns: string },
): number {
  const spoken = keys.spoken.reduce((sum, key) => sum + tokensIn(json, outline, key, textTokens), 0)
  const whole = keys.whole.reduce((sum, key) => sum + tokensOfWhole(json, outline, key), 0)
  return spoken + whole + TURN_TOKENS * turnsIn(json, outline, keys.turns)
}

function tokensOfWhole(json: Buffer, outline: JsonOutline, key: string): number {
  const { start, end } = memberOf(outline, key) ?? { start: 0, end: 0 }
  const seen = Math.min(end, start + MOST_BYTES)
  return seen === start ? 0 : Math.ceil(textTokens(json, start, seen) * ((end - start) / (seen - start)))
}

const ROLE = Buffer.from('"role"')

function turnsIn(json: Buffer, outline: JsonOutline, key: string): number {
  const { start, end } = memberOf(outline, key) ?? { start: 0, end: 0 }
  let turns = 0
  for (let at = json.indexOf(ROLE, start); at !== -1 && at < end; at = json.indexOf(ROLE, at + ROLE.length)) turns += 1
  return turns
}

function memberOf(outline: JsonOutline, key: string) {
  return outline.kind === 'object' ? outline.members.find((member) => member.key === key) : undefined
}

/** Walks over JSON that is known to be valid, and counts the texts in it; keys are not counted. */
function measure(json: Buffer, start: number, stop: number, measureText: TextMeasure) {
  let tokens = 0
  let mediaBytes = 0
  let mediaTokens = 0
  let isDataKey = false
  let at = start
  while (at < stop && at - start - mediaBytes < MOST_BYTES) {
    if (json[at] !== QUOTE) {
      at += 1
      continue
    }
    const first = at + 1
    const base64 = base64In(json, first)
    const end = Math.min(stop, start + mediaBytes + MOST_BYTES)
    const last = base64 === null ? closingQuote(json, first, end) : json.indexOf(QUOTE, base64)
    at = last + 1
    if (base64 !== null) {
      mediaBytes += last - base64
      const isImage = json.toString('latin1', first, base64).startsWith('data:image/')
      mediaTokens += isImage ? tokensOfImage(json, base64, last) : tokensOfMedia(base64, last)
    } else if (isDataKey && last - first >= SHORTEST_MEDIA) {
      mediaBytes += last - first
      mediaTokens += isImageStart(json, first) ? tokensOfImage(json, first, last) : tokensOfMedia(first, last)
    } else if (json[last] === QUOTE && isKey(json, at)) {
      isDataKey = last - first === 4 && json.toString('latin1', first, last) === 'data'
      continue
    } else tokens += measureText(json, first, last)
    isDataKey = false
  }
  return { tokens, mediaBytes, mediaTokens, end: at }
}

/** Where the base64 of a `data:` URL begins; null: the text is not one. */
function base64In(json: Buffer, first: number): number | null {
  if (json[first] !== 0x64 || json.toString('latin1', first, first + 5) !== 'data:') return null
  const at = json.subarray(first, first + LONGEST_MEDIA_TYPE).indexOf(BASE64)
  return at === -1 ? null : first + at + BASE64.length
}

function tokensOfMedia(start: number, end: number): number {
  return Math.ceil(((end - start) * 0.75) / MEDIA_BYTES_PER_TOKEN)
}

/** How the base64 of a PNG, a JPEG, a GIF and a WebP begins. */
const IMAGE_STARTS = ['iVBORw0KGgo', '/9j/', 'R0lGOD', 'UklGR']

function isImageStart(json: Buffer, first: number): boolean {
  const start = json.toString('latin1', first, first + 11)
  return IMAGE_STARTS.some((one) => start.startsWith(one))
}

function tokensOfImage(json: Buffer, base64: number, last: number): number {
  const start = json.toString('latin1', base64, Math.min(last, base64 + Math.ceil(IMAGE_START_BYTES / 3) * 4))
  const size = imageSize(Buffer.from(start, 'base64'))
  if (size === null) return USUAL_PATCHES
  const patches = Math.ceil(size.width / PATCH_PIXELS) * Math.ceil(size.height / PATCH_PIXELS)
  return Math.min(Math.max(patches, 1), MOST_PATCHES)
}

/** @returns `end` when there is none before it */
function closingQuote(json: Buffer, first: number, end: number): number {
  let at = first
  while (at < end && json[at] !== QUOTE) at += json[at] === BACKSLASH ? 2 : 1
  return at
}

function isKey(json: Buffer, after: number): boolean {
  let at = after
  while (json[at] === 0x20 || json[at] === 0x0a || json[at] === 0x0d || json[at] === 0x09) at += 1
  return json[at] === COLON
}
