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

// What may come next.
const VALUE = 0
const VALUE_OR_CLOSE = 1
const KEY_OR_CLOSE = 2
const KEY = 3
const COLON = 4
const COMMA_OR_CLOSE = 5
const NOTHING = 6
const STRING = 7
const ESCAPE = 8
const HEX_1 = 9
const HEX_2 = 10
const HEX_3 = 11
const HEX_4 = 12
const WORD = 13
const MINUS = 14
const ZERO = 15
const INTEGER = 16
const POINT = 17
const FRACTION = 18
const EXPONENT = 19
const EXPONENT_SIGN = 20
const EXPONENT_DIGITS = 21

const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPEN_OBJECT = 0x7b
const OPEN_LIST = 0x5b
const ESCAPABLE = new Set(Buffer.from('"\\/bfnrt'))
const INVALID = 'the body is not valid JSON'

const isDigit = (byte: number) => byte >= 0x30 && byte <= 0x39
const isSpace = (byte: number) => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09
const isHex = (byte: number) => isDigit(byte) || (byte >= 0x41 && byte <= 0x46) || (byte >= 0x61 && byte <= 0x66)

/** For each byte: 1 where a text goes on. */
const GOES_ON = Uint8Array.from({ length: 256 }, (_, byte) =>
  Number(byte >= 0x20 && byte !== QUOTE && byte !== BACKSLASH),
)

/**
 * Checks that bytes are one JSON object (RFC 8259) as they come, and notes where the values of its own keys are. It takes
 * the same time for each byte, whatever the bytes are, and no memory for what is inside: a body can be read without ever
 * being parsed in one go, which can take a third of a second for 32 MiB.
 */
export class JsonScanner {
  readonly #isObject = new Uint8Array(MAX_DEPTH + 1)
  /** Where keys begin and end, and values begin and end, in turn. */
  readonly #places: number[] = []
  #depth = 0
  #state = VALUE
  #isKey = false
  #word = ''
  #wordAt = 0
  #at = 0
  #problem: string | null = null

  feed(chunk: Uint8Array): void {
    if (this.#problem !== null) return
    let state = this.#state
    const { length } = chunk
    for (let i = 0; i < length; i += 1) {
      if (state === STRING) {
        while (i < length && GOES_ON[chunk[i] ?? 0] === 1) i += 1
        if (i === length) break
      }
      state = this.#next(state, chunk[i] ?? 0, this.#at + i)
      if (this.#problem !== null) return
    }
    this.#state = state
    this.#at += length
  }

  /** What was fed. @param body all of it, once more */
  end(body: Buffer): JsonOutline {
    if (this.#problem === null && this.#state !== NOTHING) this.#problem = INVALID
    else if (this.#problem === null && this.#isObject[1] !== 1) this.#problem = 'the body must be a JSON object'
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

  /** @returns the state after one byte */
  #next(state: number, byte: number, at: number): number {
    if (state < STRING) return isSpace(byte) ? state : this.#token(state, byte, at)
    switch (state) {
      case STRING:
        if (byte === QUOTE) return this.#isKey ? this.#keyEnded(at + 1) : this.#valueEnded(at + 1)
        return byte === BACKSLASH ? ESCAPE : this.#refuse()
      case ESCAPE:
        if (byte === 0x75) return HEX_1
        return ESCAPABLE.has(byte) ? STRING : this.#refuse()
      case HEX_1:
      case HEX_2:
      case HEX_3:
        return isHex(byte) ? state + 1 : this.#refuse()
      case HEX_4:
        return isHex(byte) ? STRING : this.#refuse()
      case WORD:
        if (byte !== this.#word.charCodeAt(this.#wordAt)) return this.#refuse()
        this.#wordAt += 1
        return this.#wordAt === this.#word.length ? this.#valueEnded(at + 1) : WORD
      case MINUS:
        return byte === 0x30 ? ZERO : isDigit(byte) ? INTEGER : this.#refuse()
      case ZERO:
      case INTEGER:
        if (state === INTEGER && isDigit(byte)) return INTEGER
        if (byte === 0x2e) return POINT
        return byte === 0x65 || byte === 0x45 ? EXPONENT : this.#numberEnded(byte, at)
      case POINT:
        return isDigit(byte) ? FRACTION : this.#refuse()
      case FRACTION:
        if (isDigit(byte)) return FRACTION
        return byte === 0x65 || byte === 0x45 ? EXPONENT : this.#numberEnded(byte, at)
      case EXPONENT:
        if (byte === 0x2b || byte === 0x2d) return EXPONENT_SIGN
        return isDigit(byte) ? EXPONENT_DIGITS : this.#refuse()
      case EXPONENT_SIGN:
        return isDigit(byte) ? EXPONENT_DIGITS : this.#refuse()
      case EXPONENT_DIGITS:
        return isDigit(byte) ? EXPONENT_DIGITS : this.#numberEnded(byte, at)
      default:
        return this.#refuse()
    }
  }

  /** A byte that is no space, between values. */
  #token(state: number, byte: number, at: number): number {
    switch (state) {
      case KEY_OR_CLOSE:
      case KEY:
        if (byte === QUOTE) return this.#keyBegins(at)
        return state === KEY_OR_CLOSE && byte === 0x7d ? this.#closed(at + 1) : this.#refuse()
      case COLON:
        return byte === 0x3a ? VALUE : this.#refuse()
      case COMMA_OR_CLOSE: {
        const isObject = this.#isObject[this.#depth] === 1
        if (byte === 0x2c) return isObject ? KEY : VALUE
        return byte === (isObject ? 0x7d : 0x5d) ? this.#closed(at + 1) : this.#refuse()
      }
      case VALUE:
      case VALUE_OR_CLOSE:
        if (state === VALUE_OR_CLOSE && byte === 0x5d) return this.#closed(at + 1)
        return this.#valueBegins(byte, at)
      default:
        return this.#refuse()
    }
  }

  #valueBegins(byte: number, at: number): number {
    if (this.#depth === 1 && this.#isObject[1] === 1) this.#places.push(at)
    this.#isKey = false
    switch (byte) {
      case QUOTE:
        return STRING
      case OPEN_OBJECT:
      case OPEN_LIST:
        if (this.#depth === MAX_DEPTH) return this.#refuse(`the body is nested deeper than ${MAX_DEPTH} levels`)
        this.#depth += 1
        this.#isObject[this.#depth] = Number(byte === OPEN_OBJECT)
        return byte === OPEN_OBJECT ? KEY_OR_CLOSE : VALUE_OR_CLOSE
      case 0x74:
        return this.#wordBegins('true')
      case 0x66:
        return this.#wordBegins('false')
      case 0x6e:
        return this.#wordBegins('null')
      case 0x2d:
        return MINUS
      case 0x30:
        return ZERO
      case 0xef:
        return this.#refuse(at === 0 ? 'the body begins with a byte order mark; send plain UTF-8' : INVALID)
      default:
        return isDigit(byte) ? INTEGER : this.#refuse()
    }
  }

  #wordBegins(word: string): number {
    this.#word = word
    this.#wordAt = 1
    return WORD
  }

  #keyBegins(at: number): number {
    this.#isKey = true
    if (this.#depth === 1) {
      if (this.#places.length === 4 * MAX_MEMBERS) return this.#refuse(`the body has more than ${MAX_MEMBERS} keys`)
      this.#places.push(at)
    }
    return STRING
  }

  #keyEnded(end: number): number {
    if (this.#depth === 1) {
      if (end - (this.#places.at(-1) ?? 0) > MAX_KEY_BYTES)
        return this.#refuse(`a key of the body is longer than ${MAX_KEY_BYTES} bytes`)
      this.#places.push(end)
    }
    return COLON
  }

  #valueEnded(end: number): number {
    if (this.#depth === 0) return NOTHING
    if (this.#depth === 1 && this.#isObject[1] === 1) this.#places.push(end)
    return COMMA_OR_CLOSE
  }

  /** A number ends with the byte after it, which is read again. */
  #numberEnded(byte: number, at: number): number {
    return this.#next(this.#valueEnded(at), byte, at)
  }

  #closed(end: number): number {
    this.#depth -= 1
    return this.#valueEnded(end)
  }

  #refuse(problem: string = INVALID): number {
    this.#problem ??= problem
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
