import { OPENING_BRACE, OPENING_BRACKET } from '../../syntax/json/brackets.ts'
import { isJson } from '../../syntax/json/is-json.ts'

/** Longest event that is kept unless said otherwise; of a longer one nothing is. No single delta comes near. */
const MAX_EVENT_BYTES = 4 * 2 ** 20
/** What each piece of an event costs besides its text: V8 joins texts when they are read. */
const PIECE_BYTES = 32

const LF = 0x0a
const CR = 0x0d
const SPACE = 0x20
const DATA = 'data'
/** Some streams end with a word instead of JSON. */
const LAST_WORD = /^\[[A-Z]+\]$/
/** A UTF-8 byte order mark, read as latin1. */
const BOM = '\xef\xbb\xbf'

/**
 * Receives each event. `data` holds the bytes of the data lines as latin1 (see `utf8Of`): searching it needs no
 * decoding, and most events are only searched; null: it is longer than what is kept. `type` is the text after `event:`,
 * latin1 too; empty when there is none.
 */
export type OnEvent = (data: string | null, type: string) => void

/**
 * Finds the events in a stream of server-sent events, wherever its chunks are cut: lines end by LF, CRLF or CR, several
 * data lines are joined by LF, comments and other fields are passed over. Of an event longer than 4 MiB (or
 * `maxEventBytes`) nothing is kept: memory stays bounded, and time linear.
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
 */
export class SseScanner {
  readonly #onEvent: OnEvent
  readonly #maxEventBytes: number
  /** The data lines of the event that is open; null before the first. */
  #data: string | null = null
  #type = ''
  /** The beginning of a line whose end has not come yet. */
  #line = ''
  /** What the event that is open takes in memory. */
  #bytes = 0
  /** A line of the event that is open has come, be it a comment. */
  #isOpen = false
  #isTooLong = false
  #isFirstLine = true
  #mayBeginWithLf = false
  /** Where the event that ended last began and ended, in bytes of the latest chunk; 0: before it. */
  frameStart = 0
  frameEnd = 0

  constructor(onEvent: OnEvent, maxEventBytes = MAX_EVENT_BYTES) {
    this.#onEvent = onEvent
    this.#maxEventBytes = maxEventBytes
  }

  /** Nothing of an event is pending. */
  atBoundary(): boolean {
    return !this.#isOpen && this.#line === ''
  }

  /**
   * What ends the event that is open, where its data is complete but for that; null: it is cut, or there is none. Browsers
   * forget such an event; some upstreams leave out the last empty line.
   */
  owed(): Buffer | null {
    if (this.atBoundary() || this.#isTooLong) return null
    const value = this.#line.startsWith('data:') ? [this.#line.slice('data:'.length)] : []
    const data = [...(this.#data === null ? [] : [this.#data]), ...value].join('\n').trim()
    if (!LAST_WORD.test(data) && !isJson(utf8Of(data))) return null
    const lineEnds = (this.#line === '' ? 1 : 2) + (this.#mayBeginWithLf ? 1 : 0)
    return Buffer.alloc(lineEnds, LF)
  }

  /** What of an event is pending takes so much memory. */
  heldBytes(): number {
    return this.#bytes
  }

  feed(bytes: Uint8Array): void {
    const chunk = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    let at = 0
    this.frameEnd = 0
    if (this.#mayBeginWithLf && chunk.length > 0) {
      this.#mayBeginWithLf = false
      if (chunk[0] === LF) at = 1
      if (this.atBoundary()) this.frameEnd = at
    }
    let lf = chunk.indexOf(LF, at)
    let cr = chunk.indexOf(CR, at)
    while (lf !== -1 || cr !== -1) {
      const end = cr === -1 || (lf !== -1 && lf < cr) ? lf : cr
      let next = end + 1
      if (end === cr) {
        if (next === chunk.length) this.#mayBeginWithLf = true
        else if (chunk[next] === LF) next += 1
        cr = chunk.indexOf(CR, next)
      }
      this.#endLine(chunk, at, end, next)
      at = next
      if (lf !== -1 && lf < at) lf = chunk.indexOf(LF, at)
    }
    if (at < chunk.length) this.#keep(chunk.toString('latin1', at))
  }

  #keep(text: string): void {
    if (this.#isTooLong) {
      this.#line = 'x' // a line goes on, whatever is in it
      return
    }
    this.#line += text
    this.#bound(text.length)
  }

  /** @param next where the line after it begins */
  #endLine(chunk: Buffer, start: number, end: number, next: number): void {
    if (start === end && this.#line === '') {
      this.#dispatch(next)
      return
    }
    this.#isOpen = true
    if (this.#isTooLong) this.#line = ''
    else if (this.#line !== '' || this.#isFirstLine) this.#unusualLine(chunk.toString('latin1', start, end), next)
    else if (isData(chunk, start))
      this.#addData(chunk.toString('latin1', chunk[start + 5] === SPACE ? start + 6 : start + 5, end))
    else this.#field(chunk.toString('latin1', start, end))
  }

  /** A line that was cut, or the first of the stream. */
  #unusualLine(rest: string, next: number): void {
    let line = this.#line + rest
    this.#bytes -= this.#line.length // it is counted again as data
    this.#line = ''
    if (this.#isFirstLine && line.startsWith(BOM)) line = line.slice(BOM.length)
    this.#isFirstLine = false
    if (line === '') this.#dispatch(next)
    else this.#field(line)
  }

  #field(line: string): void {
    const colon = line.indexOf(':')
    if (colon === 0) return
    const name = colon === -1 ? line : line.slice(0, colon)
    const value = colon === -1 ? '' : line.slice(line.charCodeAt(colon + 1) === SPACE ? colon + 2 : colon + 1)
    if (name === DATA) this.#addData(value)
    else if (name === 'event') this.#type = value
  }

  #addData(value: string): void {
    this.#data = this.#data === null ? value : `${this.#data}\n${value}`
    this.#bound(value.length)
  }

  #bound(added: number): void {
    this.#bytes += added + PIECE_BYTES
    if (this.#bytes <= this.#maxEventBytes) return
    this.#isTooLong = true
    this.#data = null
    if (this.#line !== '') this.#line = 'x'
  }

  #dispatch(next: number): void {
    const data = this.#data
    const type = this.#type
    const isTooLong = this.#isTooLong
    this.frameStart = this.frameEnd
    this.frameEnd = next
    this.#data = null
    this.#type = ''
    this.#bytes = 0
    this.#isOpen = false
    this.#isTooLong = false
    this.#isFirstLine = false
    if (data !== null || isTooLong) this.#onEvent(isTooLong ? null : data, type)
  }
}

function isData(chunk: Buffer, start: number): boolean {
  return (
    chunk[start] === 0x64 &&
    chunk[start + 1] === 0x61 &&
    chunk[start + 2] === 0x74 &&
    chunk[start + 3] === 0x61 &&
    chunk[start + 4] === 0x3a
  )
}

/** The text of bytes that were read as latin1. */
export function utf8Of(latin1: string): string {
  return Buffer.from(latin1, 'latin1').toString('utf8')
}

const FIRST = ['data:', 'event:', 'id:', 'retry:', ':']
const LONGEST_FIRST = 6

/**
 * Whether bytes are the beginning of a stream of events: JSON is not, whatever it is called; what begins as
 * events do is one, whatever it is called.
 * @returns null when they are blank, so that nothing can be told yet
 */
export function looksLikeEvents(start: Uint8Array, isCalledStream: boolean): boolean | null {
  let at = 0
  while (isBlank(start[at])) at += 1
  if (at === start.length) return null
  if (start[at] === OPENING_BRACE || start[at] === OPENING_BRACKET) return false
  if (isCalledStream) return true
  const text = Buffer.from(start.subarray(at, at + LONGEST_FIRST)).toString('latin1')
  return FIRST.some((field) => text.startsWith(field) || field.startsWith(text))
}

/** Blanks, line ends, and the bytes of a byte order mark. */
function isBlank(byte: number | undefined): boolean {
  return (
    byte === SPACE || byte === LF || byte === CR || byte === 0x09 || byte === 0xef || byte === 0xbb || byte === 0xbf
  )
}
