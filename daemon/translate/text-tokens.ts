const BACKSLASH = 0x5c
/** What a byte begins or goes on with, as far as tokenizers mind. */
const PUNCTUATION = 0
const LETTER = 1
const DIGIT = 2
const SPACE = 3
const BREAK = 4
/** A letter of an alphabet with accents, or of another one: two bytes. */
const FOREIGN = 5
/** Three bytes or more: mostly of Chinese, Japanese or Korean. */
const WIDE = 6
const INNER = 7

const KINDS = Uint8Array.from({ length: 256 }, (_, byte) => kindOf(byte))

function kindOf(byte: number): number {
  if ((byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a)) return LETTER
  if (byte >= 0x30 && byte <= 0x39) return DIGIT
  if (byte === 0x20) return SPACE
  if (byte < 0x20) return BREAK
  if (byte < 0x80) return PUNCTUATION
  if (byte < 0xc0) return INNER
  return byte < 0xe0 ? FOREIGN : WIDE
}

// what fits test/corpus best
const LETTERS_PER_TOKEN = 6
const DIGITS_PER_TOKEN = 3
const MARKS_PER_TOKEN = 1.5
/** The last mark before a word is often of one token with it. */
const MARK_BEFORE_WORD = 0.3
const WIDE_PER_TOKEN = 1.35

/**
 * About how many tokens a text is, as the tokenizers of today cut it: words with the blank before them, long ones in
 * pieces, digits by three, marks by ones and twos. The text is that of a JSON string, escapes and all, or JSON itself.
 */
export function textTokens(json: Uint8Array, start: number, end: number): number {
  let tokens = 0
  let run = SPACE
  let length = 0
  for (let at = start; at < end; ) {
    const byte = json[at] ?? 0
    let kind = KINDS[byte] ?? PUNCTUATION
    let width = 1
    if (byte === BACKSLASH) {
      const escaped = json[at + 1]
      width = escaped === 0x75 ? 6 : 2
      kind = escaped === 0x6e || escaped === 0x72 || escaped === 0x74 ? BREAK : escaped === 0x75 ? WIDE : PUNCTUATION
    }
    at += width
    if (kind === INNER) continue
    if (kind === FOREIGN) kind = LETTER // of one word with the letters around it
    if (kind !== run) {
      // blanks after a line break belong to it
      if (run === BREAK && kind === SPACE) continue
      tokens += tokensOfRun(run, length, kind)
      run = kind
      length = 0
    }
    length += 1
  }
  return tokens + tokensOfRun(run, length, BREAK)
}

function tokensOfRun(kind: number, length: number, next: number): number {
  if (length === 0) return 0
  switch (kind) {
    case LETTER:
      return Math.ceil(length / LETTERS_PER_TOKEN)
    case DIGIT:
      return Math.ceil(length / DIGITS_PER_TOKEN)
    case PUNCTUATION:
      if (next === LETTER) return (length - 1) / MARKS_PER_TOKEN + MARK_BEFORE_WORD
      return Math.ceil(length / MARKS_PER_TOKEN)
    case WIDE:
      return length / WIDE_PER_TOKEN
    case SPACE:
      return length === 1 && next !== DIGIT ? 0 : 1
    default:
      return 1
  }
}
