import type { Citation } from './citation.ts'
import type { NeutralEvent, PartStart } from './neutral.ts'
import { type TokenLogprobs, withLogprobs } from './token-logprobs.ts'

/** What is kept of parts whose turn has not come; no answer comes near. */
const MAX_WAITING_CHARACTERS = 4 * 2 ** 20

/** No client could answer it. */
export const NAMELESS_CALL = 'the upstream called a tool without a name'

type Part = {
  readonly key: string
  readonly start: PartStart
  text: string
  logprobs: TokenLogprobs
  hasEnded: boolean
}

/**
 * Puts the parts of one answer one after the other, which some upstreams send side by side: what belongs to a later
 * one waits until the one before is complete. The arguments of a call are complete when they are JSON.
 */
export class PartSequence {
  #open: Part | null = null
  readonly #waiting: Part[] = []
  #events: NeutralEvent[] = []
  #waitingCharacters = 0

  /** The key of the part that is open; null: none. */
  openKey(): string | null {
    return this.#open?.key ?? null
  }

  /** Whether a part has begun and not ended, be it one that waits. */
  has(key: string): boolean {
    return this.#open?.key === key || this.#waiting.some((part) => part.key === key)
  }

  /** @throws Error when it is a call of nothing */
  begin(key: string, start: PartStart): void {
    if (start.kind === 'call' && start.name === '') throw new Error(NAMELESS_CALL)
    this.#waiting.push({ key, start, text: '', logprobs: [], hasEnded: false })
    this.#promote()
  }

  /** @throws Error when the part has ended, or too much waits */
  delta(key: string, text: string, logprobs: TokenLogprobs = []): void {
    const part = this.#open?.key === key ? this.#open : this.#waiting.find((one) => one.key === key)
    if (part === undefined) {
      if (text.trim() === '') return
      throw new Error('the upstream went on with a part of its answer that had ended')
    }
    if (part.start.kind === 'call' || part !== this.#open) {
      part.text += text
      part.logprobs = [...part.logprobs, ...logprobs]
      this.#waitingCharacters += text.length
      if (this.#waitingCharacters > MAX_WAITING_CHARACTERS)
        throw new Error('the upstream sent too much at the same time')
    }
    if (part === this.#open && text !== '') this.#events.push({ kind: 'more', text, ...withLogprobs(logprobs) })
  }

  /** Of the part that is open. */
  signature(key: string, signature: string, signedBy?: string): void {
    if (this.#open?.key === key) this.#events.push({ kind: 'signature', signature, signedBy })
  }

  /** Of the part that is open. */
  cite(key: string, citations: readonly Citation[]): void {
    if (this.#open?.key !== key) return
    for (const citation of citations) this.#events.push({ kind: 'citation', citation })
  }

  end(key: string): void {
    const part = this.#open?.key === key ? this.#open : this.#waiting.find((one) => one.key === key)
    if (part !== undefined) part.hasEnded = true
    this.#promote()
  }

  endAll(): void {
    for (const part of this.#waiting) part.hasEnded = true
    if (this.#open !== null) this.#open.hasEnded = true
    this.#promote()
  }

  /** What has happened since the last call. */
  take(): readonly NeutralEvent[] {
    const events = this.#events
    this.#events = []
    return events
  }

  /** Closes what is complete, and starts what waits for it. */
  #promote(): void {
    for (;;) {
      const next = this.#waiting[0]
      if (this.#open?.hasEnded || (this.#open !== null && next !== undefined && isComplete(this.#open))) this.#close()
      if (this.#open !== null || next === undefined) return
      this.#waiting.shift()
      this.#start(next)
      if (next.text !== '') {
        this.#events.push({ kind: 'more', text: next.text, ...withLogprobs(next.logprobs) })
      }
    }
  }

  #start(part: Part): void {
    this.#open = part
    this.#events.push({ kind: 'part', part: part.start })
  }

  #close(): void {
    if (this.#open === null) return
    this.#waitingCharacters -= this.#open.text.length
    this.#open = null
    this.#events.push({ kind: 'part-end' })
  }
}

function isComplete({ start, text, hasEnded }: Part): boolean {
  if (hasEnded || start.kind !== 'call') return true
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
