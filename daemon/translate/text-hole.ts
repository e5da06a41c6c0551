import { utf8Of } from './sse.ts'

const ASCII = /^[ -~]*$/

/**
 * Reads a frame that differs from the one before it in its text alone, as nearly all frames of an answer do: what is
 * around the text is compared, and only the text is parsed.
 */
export class TextHole {
  #type = ''
  /** Up to the quote that opens the text; empty: no frame is known. */
  #before = ''
  /** From the quote that closes it. */
  #after = ''

  /** @param data of a frame, as latin1, of which nothing came but `text` */
  learn(data: string, type: string, text: string): void {
    const literal = Buffer.from(JSON.stringify(text)).toString('latin1')
    const start = data.indexOf(literal)
    // found twice, it may be something else; escaped in another way, it is not found
    const isThere = start !== -1 && !data.includes(literal, start + 1)
    this.#type = type
    this.#before = isThere ? data.slice(0, start + 1) : ''
    this.#after = isThere ? data.slice(start + literal.length - 1) : ''
  }

  /** The text of a frame that is otherwise the same; null when it is another one. */
  textOf(data: string, type: string): string | null {
    const before = this.#before
    const after = this.#after
    if (before === '' || type !== this.#type || data.length < before.length + after.length) return null
    if (!data.startsWith(before) || !data.endsWith(after)) return null
    const literal = data.slice(before.length - 1, data.length - after.length + 1)
    try {
      // parsed even when nothing is escaped: a part of `data` would keep all of it in memory
      const text: unknown = JSON.parse(ASCII.test(literal) ? literal : utf8Of(literal))
      return typeof text === 'string' ? text : null
    } catch {
      return null // the text has ended before, and something else follows
    }
  }
}
