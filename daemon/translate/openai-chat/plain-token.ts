const FINISH = '"finish_reason":'
const CONTENT = Buffer.from('"content":"')
const QUOTE = 0x22
const BACKSLASH = 0x5c
const SPACE = 0x20
const NOTHING = Buffer.alloc(0)

/**
 * Recognises the tokens of one stream by the bytes of their frames. They differ in their content alone, so what comes
 * before and after the content of one is kept: a chunk that is the same around a plain text is one more, and need not
 * be read.
 */
export class TokenFrames {
  #before: Buffer = NOTHING
  #after: Buffer = NOTHING

  /** @param chunk holds exactly one frame, which is a plain token */
  learn(chunk: Buffer): void {
    const start = chunk.indexOf(CONTENT) + CONTENT.length
    const end = chunk.indexOf(QUOTE, start)
    const isText = start >= CONTENT.length && end !== -1
    this.#before = isText ? Buffer.from(chunk.subarray(0, start)) : NOTHING
    this.#after = isText ? Buffer.from(chunk.subarray(end)) : NOTHING
  }

  /** Whether a chunk holds exactly one frame, which is a plain token like the one that was learned. */
  has(chunk: Buffer): boolean {
    const start = this.#before.length
    if (start === 0) return false
    let end = start
    while (end < chunk.length && isPlain(chunk[end] ?? 0)) end += 1
    return chunk.length - end === this.#after.length && isAt(this.#before, chunk, 0) && isAt(this.#after, chunk, end)
  }
}

/** What a text holds that neither ends nor escapes, and does not end a line. */
function isPlain(byte: number): boolean {
  return byte !== QUOTE && byte !== BACKSLASH && byte >= SPACE
}

function isAt(part: Buffer, chunk: Buffer, start: number): boolean {
  let i = 0
  while (i < part.length && part[i] === chunk[start + i]) i += 1
  return i === part.length
}

/**
 * Whether an event is one more token of the first choice, as the encoders of OpenAI, vLLM and llama.cpp write it: one
 * choice, no finish reason, nothing beside it that matters. Quotes inside of content are escaped, so they cannot match.
 */
export function isPlainToken(data: string): boolean {
  const finish = data.indexOf(FINISH)
  if (finish === -1 || !data.startsWith('null', finish + FINISH.length)) return false
  if (data.indexOf(FINISH, finish + FINISH.length) !== -1) return false
  if (!data.includes('"choices":[{"index":0,') && !data.includes('"choices":[{"finish_reason":null,"index":0,'))
    return false
  if (!data.includes('"delta":') || data.includes('"error"')) return false
  const usage = data.indexOf('"usage"')
  return usage === -1 || data.startsWith('"usage":null', usage)
}
