import { OPENING_BRACE } from '../../../syntax/json/brackets.ts'
import { type JsonOutline, outlineOf } from '../../../syntax/json/outline.ts'
import type { Edit } from '../json-splice.ts'
import { isRecord } from '../json-value.ts'
import { SseScanner, utf8Of } from '../sse.ts'
import { failureIn } from './error.ts'
import { quirksOf } from './providers.ts'

const KEY = 'stream_options'
const LONGEST_OPTIONS = 1_024
const CR = 0x0d
const LF = 0x0a

/**
 * What asks an upstream for the usage of a stream; null when the client has asked itself, or the upstream is not known
 * to understand.
 */
export function usageRequest(body: Buffer, provider: string, outline: JsonOutline = outlineOf(body)): Edit | null {
  if (outline.kind === 'refused' || quirksOf(provider).usage !== 'asked') return null
  const member = outline.members.find(({ key }) => key === KEY)
  if (member === undefined) {
    const start = body.indexOf(OPENING_BRACE) + 1
    return { start, end: start, text: `"${KEY}":{"include_usage":true},` }
  }
  if (member.end - member.start > LONGEST_OPTIONS) return null
  const options: unknown = JSON.parse(body.toString('utf8', member.start, member.end))
  if (options !== null && (!isRecord(options) || options['include_usage'] === true)) return null
  return { ...member, text: JSON.stringify({ ...options, include_usage: true }) }
}

const NOTHING = Buffer.alloc(0)
/** Where an event ends. */
const BLANK_LINE = /(?:\r\n|\n|\r(?!\n))(?:\r\n|\n|\r)/g
/** A usage event is short: of a longer one nothing is kept back. */
const LONGEST_KEPT = 64 * 2 ** 10

/**
 * Takes the event that reports usage alone out of the end of a stream, for a client that has not asked for it. Begins
 * when every choice has ended: what is fed before that need not come by.
 */
export class UsageFrameFilter {
  #kept: Buffer = NOTHING

  feed(chunk: Buffer): Buffer {
    const bytes = this.#kept.length === 0 ? chunk : Buffer.concat([this.#kept, chunk])
    const shown: Buffer[] = []
    let at = 0
    for (const { index, 0: blank } of bytes.toString('latin1').matchAll(BLANK_LINE)) {
      const end = index + blank.length
      if (end === bytes.length && bytes[end - 1] === CR) break // its line feed may be on its way
      const event = bytes.subarray(at, end)
      // line ends at its beginning end the event before it, which went by in an earlier chunk
      shown.push(isUsageAlone(event) ? event.subarray(0, lineEnds(event)) : event)
      at = end
    }
    const tail = bytes.subarray(at)
    this.#kept = tail.length > LONGEST_KEPT ? NOTHING : Buffer.from(tail)
    if (tail.length > LONGEST_KEPT) shown.push(tail)
    return Buffer.concat(shown)
  }

  /** What was kept back. */
  rest(): Buffer {
    const kept = this.#kept
    this.#kept = NOTHING
    return isUsageAlone(Buffer.concat([kept, Buffer.from('\n\n')])) ? kept.subarray(0, lineEnds(kept)) : kept
  }
}

function lineEnds(bytes: Buffer): number {
  let at = 0
  while (bytes[at] === CR || bytes[at] === LF) at += 1
  return at
}

function isUsageAlone(bytes: Buffer): boolean {
  const events: string[] = []
  new SseScanner((data) => void events.push(data ?? '')).feed(bytes)
  const [data = ''] = events
  if (events.length !== 1 || !data.includes('"usage"')) return false
  try {
    const event: unknown = JSON.parse(utf8Of(data))
    if (!isRecord(event) || !Array.isArray(event['choices']) || event['choices'].length > 0) return false
    return isRecord(event['usage']) && failureIn(event) === null
  } catch {
    return false
  }
}
