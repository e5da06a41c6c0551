import { isUtf8 } from 'node:buffer'

/** A key of the outermost object, and the bytes where its value begins and ends. */
export type JsonMember = { readonly key: string; readonly start: number; readonly end: number }

export type JsonOutline =
  | { readonly kind: 'object'; readonly members: readonly JsonMember[] }
  | { readonly kind: 'refused'; readonly problem: string }

/** Deeper bodies make recursive readers of an upstream fail, or worse. */
const MAX_DEPTH = 128
const MAX_MEMBERS = 1_000
const MAX_KEY_BYTES = 1_024

// States: what may come next.
const VALUE = 0
const VALUE_OR_CLOSE = 1
const KEY_OR_CLOSE = 2
const KEY = 3
const COLON = 4
const AFTER_MEMBER = 5
const AFTER_ITEM = 6
const NOTHING = 7
const STRING = 8
const ESCAPE = 9
const HEX_1 = 10
const HEX_2 = 11
const HEX_3 = 12
const HEX_4 = 13
const MINUS = 14
const ZERO = 15
const INTEGER = 16
const POINT = 17
const FRACTION = 18
const EXPONENT = 19
const EXPONENT_SIGN = 20
const EXPONENT_DIGITS = 21
/** After the first letter of `true`, `false` and `null`; one more state for each letter that follows. */
const TRUE = 22
const FALSE = 25
const NULL = 29
const STATES = 32

/** Added to the state in which the first byte of a value leaves the scanner. */
const BEGINS = 32
// What else has to be done at a byte, in place of its next state.
const REFUSED = 64
const QUOTED = 65
const ENDED = 66
/** A number ends with the byte after it, which is read again. */
const NUMBER_ENDED = 67
const KEY_BEGINS = 68
const OBJECT_BEGINS = 69
const LIST_BEGINS = 70
const CLOSED = 71
const MARK = 72

const INVALID = 'the body is not valid JSON'
const SPACE = ' \n\r\t'
const ONE_TO_NINE = '123456789'
const DIGIT = `0${ONE_TO_NINE}`
const HEX = `${DIGIT}abcdefABCDEF`
const QUOTE = '"'
const IN_STRING = String.fromCharCode(...Array.from({ length: 256 }, (_, byte) => byte).slice(0x20)).replace(
  /["\\]/g,
  '',
)

/** What follows each of the bytes that a state takes; all others are refused. */
type Row = Readonly<Record<string, number>>

const VALUES: Row = {
  [SPACE]: VALUE,
  [QUOTE]: BEGINS + STRING,
  '{': OBJECT_BEGINS,
  '[': LIST_BEGINS,
  t: BEGINS + TRUE,
  f: BEGINS + FALSE,
  n: BEGINS + NULL,
  '-': BEGINS + MINUS,
  [ONE_TO_NINE]: BEGINS + INTEGER,
  '0': BEGINS + ZERO,
  '\xef': MARK,
}
const NUMBER_ENDS: Row = { [`${SPACE},]}`]: NUMBER_ENDED }

/** For each state and byte what comes next: a state, or something to do. */
const NEXT = tableOf([
  [VALUE, VALUES],
  [VALUE_OR_CLOSE, { ...VALUES, [SPACE]: VALUE_OR_CLOSE, ']': CLOSED }],
  [KEY_OR_CLOSE, { [SPACE]: KEY_OR_CLOSE, [QUOTE]: KEY_BEGINS, '}': CLOSED }],
  [KEY, { [SPACE]: KEY, [QUOTE]: KEY_BEGINS }],
  [COLON, { [SPACE]: COLON, ':': VALUE }],
  [AFTER_MEMBER, { [SPACE]: AFTER_MEMBER, ',': KEY, '}': CLOSED }],
  [AFTER_ITEM, { [SPACE]: AFTER_ITEM, ',': VALUE, ']': CLOSED }],
  [NOTHING, { [SPACE]: NOTHING }],
  [STRING, { [IN_STRING]: STRING, [QUOTE]: QUOTED, '\\': ESCAPE }],
  [ESCAPE, { '"\\/bfnrt': STRING, u: HEX_1 }],
  [HEX_1, { [HEX]: HEX_2 }],
  [HEX_2, { [HEX]: HEX_3 }],
  [HEX_3, { [HEX]: HEX_4 }],
  [HEX_4, { [HEX]: STRING }],
  [MINUS, { [ONE_TO_NINE]: INTEGER, '0': ZERO }],
  [ZERO, { ...NUMBER_ENDS, '.': POINT, eE: EXPONENT }],
  [INTEGER, { ...NUMBER_ENDS, [DIGIT]: INTEGER, '.': POINT, eE: EXPONENT }],
  [POINT, { [DIGIT]: FRACTION }],
  [FRACTION, { ...NUMBER_ENDS, [DIGIT]: FRACTION, eE: EXPONENT }],
  [EXPONENT, { [DIGIT]: EXPONENT_DIGITS, '+-': EXPONENT_SIGN }],
  [EXPONENT_SIGN, { [DIGIT]: EXPONENT_DIGITS }],
  [EXPONENT_DIGITS, { ...NUMBER_ENDS, [DIGIT]: EXPONENT_DIGITS }],
  ...wordRows(TRUE, 'rue'),
  ...wordRows(FALSE, 'alse'),
  ...wordRows(NULL, 'ull'),
])

function tableOf(rows: readonly (readonly [state: number, row: Row])[]): Uint8Array {
  const table = new Uint8Array(STATES * 256).fill(REFUSED)
  for (const [state, row] of rows) {
    for (const [bytes, next] of Object.entries(row))
      for (const byte of Buffer.from(bytes, 'latin1')) table[state * 256 + byte] = next
  }
  return table
}

function wordRows(first: number, letters: string): (readonly [number, Row])[] {
  return [...letters].map((letter, i) => [first + i, { [letter]: i + 1 === letters.length ? ENDED : first + i + 1 }])
}

/**
 * Checks that bytes are one JSON object (RFC 8259) as they come, and notes where the values of its own keys are. It
 * takes the same time for each byte, whatever the bytes are, and no memory for what is inside: a body can be read
 * without ever being parsed in one go, which can take a third of a second for 32 MiB.
 */
export class JsonScanner {
  /** For each level that is open what comes after a value in it; the outermost is no level. */
  readonly #after: number[] = []
  /** Where keys begin and end, and values begin and end, in turn. */
  readonly #places: number[] = []
  #state = VALUE
  #isKey = false
  #isObject = false
  #at = 0
  #problem: string | null = null

  feed(chunk: Uint8Array): void {
    if (this.#problem !== null) return
    let state = this.#state
    const { length } = chunk
    for (let i = 0; i < length; i += 1) {
      if (state === STRING) {
        while (i < length && NEXT[STRING * 256 + (chunk[i] ?? 0)] === STRING) i += 1
        if (i === length) break
      }
      const next = NEXT[state * 256 + (chunk[i] ?? 0)] ?? REFUSED
      if (next < STATES) state = next
      else {
        state = this.#act(next, this.#at + i)
        if (next === NUMBER_ENDED) i -= 1
        if (this.#problem !== null) return
      }
    }
    this.#state = state
    this.#at += length
  }

  /** What was fed. @param body all of it, once more */
  end(body: Buffer): JsonOutline {
    if (this.#problem === null && this.#state !== NOTHING) this.#problem = INVALID
    else if (this.#problem === null && !this.#isObject) this.#problem = 'the body must be a JSON object'
    if (this.#problem === null && !isUtf8(body)) this.#problem = 'the body is not valid UTF-8'
    if (this.#problem !== null) return { kind: 'refused', problem: this.#problem }
    const members: JsonMember[] = []
    const places = this.#places
    for (let i = 0; i < places.length; i += 4) {
      const key = keyAt(body, places[i] ?? 0, places[i + 1] ?? 0)
      members.push({ key, start: places[i + 2] ?? 0, end: places[i + 3] ?? 0 })
    }
    return { kind: 'object', members }
  }

  /** Does what one byte asks for. @param at its place @returns the state after it */
  #act(action: number, at: number): number {
    if (action < REFUSED) {
      this.#valueBegins(at)
      return action - BEGINS
    }
    switch (action) {
      case QUOTED:
        return this.#isKey ? this.#keyEnded(at + 1) : this.#valueEnded(at + 1)
      case ENDED:
        return this.#valueEnded(at + 1)
      case NUMBER_ENDED:
        return this.#valueEnded(at)
      case KEY_BEGINS:
        return this.#keyBegins(at)
      case OBJECT_BEGINS:
        return this.#opened(at, AFTER_MEMBER, KEY_OR_CLOSE)
      case LIST_BEGINS:
        return this.#opened(at, AFTER_ITEM, VALUE_OR_CLOSE)
      case CLOSED:
        this.#after.pop()
        return this.#valueEnded(at + 1)
      case MARK:
        return this.#refuse(at === 0 ? 'the body begins with a byte order mark; send plain UTF-8' : INVALID)
      default:
        return this.#refuse(INVALID)
    }
  }

  /** Whether what comes now belongs to the outermost object itself. */
  #isOutermost(): boolean {
    return this.#after.length === 1 && this.#isObject
  }

  #valueBegins(at: number): void {
    if (this.#isOutermost()) this.#places.push(at)
  }

  #valueEnded(end: number): number {
    if (this.#isOutermost()) this.#places.push(end)
    return this.#after.at(-1) ?? NOTHING
  }

  #opened(at: number, after: number, state: number): number {
    const depth = this.#after.length
    if (depth === MAX_DEPTH) return this.#refuse(`the body is nested deeper than ${MAX_DEPTH} levels`)
    if (depth === 0) this.#isObject = after === AFTER_MEMBER
    else this.#valueBegins(at)
    this.#after.push(after)
    return state
  }

  #keyBegins(at: number): number {
    this.#isKey = true
    if (this.#isOutermost()) {
      if (this.#places.length === 4 * MAX_MEMBERS) return this.#refuse(`the body has more than ${MAX_MEMBERS} keys`)
      this.#places.push(at)
    }
    return STRING
  }

  #keyEnded(end: number): number {
    this.#isKey = false
    if (this.#isOutermost()) {
      if (end - (this.#places.at(-1) ?? 0) > MAX_KEY_BYTES)
        return this.#refuse(`a key of the body is longer than ${MAX_KEY_BYTES} bytes`)
      this.#places.push(end)
    }
    return COLON
  }

  #refuse(problem: string): number {
    this.#problem = problem
    return NOTHING
  }
}

function keyAt(body: Buffer, start: number, end: number): string {
  const text = body.toString('utf8', start + 1, end - 1)
  return text.includes('\\') ? String(JSON.parse(`"${text}"`)) : text
}

/** The outline of a whole body. */
export function outlineOf(body: Buffer): JsonOutline {
  const scanner = new JsonScanner()
  scanner.feed(body)
  return scanner.end(body)
}
