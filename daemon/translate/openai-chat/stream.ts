import { isRecord, parsedRecord } from '../json-value.ts'
import { PassingWatch } from '../passing-watch.ts'
import { utf8Of } from '../sse.ts'
import { failureIn, textOf } from './error.ts'
import { isPlainToken, TokenFrames } from './plain-token.ts'
import { reportedUsage } from './usage.ts'
import { UsageFrameFilter } from './usage-frame.ts'

const NOTHING = Buffer.alloc(0)
const DONE = Buffer.from('data: [DONE]\n\n')
/** As many as OpenAI's `n` allows; what an upstream sends beyond them counts as one more. */
const MAX_CHOICES = 128

/**
 * Watches a stream of chat completion chunks go by: counts content, catches the usage chunk, the end (`[DONE]`, or a
 * finish reason of every choice) and an error inside the stream. A plain token is recognised by its text and not
 * parsed.
 */
export class ChatStreamWatch extends PassingWatch {
  readonly #tokenFrames = new TokenFrames()
  /** Plain tokens that were read closely. */
  #plainTokens = 0
  /** Choices that have begun, and whether each has ended. */
  readonly #choices = new Map<number, boolean>()
  readonly #filter: UsageFrameFilter | null
  #isFiltering = false
  #hasShownDone = false

  /** As many must have ended, unless the stream itself says that nothing follows. */
  readonly #asked: number

  constructor(hidesUsage = false, asked = 1) {
    super()
    this.#asked = Math.min(asked, MAX_CHOICES) // more are not told apart
    this.#filter = hidesUsage ? new UsageFrameFilter() : null
  }

  override feed(chunk: Buffer): Buffer {
    const shown = this.#shownOf(chunk)
    if (this.#filter === null) return shown
    this.#isFiltering ||= this.isComplete()
    return this.#isFiltering ? this.#filter.feed(shown) : shown
  }
  /** Some close the stream without the event that clients wait for. */
  override rest(): Buffer {
    const kept = this.#filter?.rest() ?? NOTHING
    const isToldAll = this.#hasShownDone || this.failureMessage !== null
    return isToldAll ? kept : Buffer.concat([kept, DONE])
  }
  isComplete(): boolean {
    if (this.#choices.size === 0) return false // [DONE] alone is not an answer
    if (this.hasSaidEnd) return true
    if (this.#choices.size < this.#asked) return false
    for (const hasEnded of this.#choices.values()) if (!hasEnded) return false
    return true
  }

  #shownOf(chunk: Buffer): Buffer {
    const isWhole = this.isBetweenFrames()
    if (isWhole && this.#tokenFrames.has(chunk)) {
      this.frameCount += 1
      this.contentFrameCount += 1
      return chunk
    }
    const frames = this.frameCount
    const plainTokens = this.#plainTokens
    const shown = super.feed(chunk)
    const isOneToken = this.frameCount === frames + 1 && this.#plainTokens === plainTokens + 1
    if (isWhole && isOneToken && this.isBetweenFrames()) this.#tokenFrames.learn(chunk)
    return shown
  }

  protected frame(data: string, type: string): void {
    if (data === '[DONE]' || data.trim() === '[DONE]') {
      this.hasSaidEnd = true
      this.#hasShownDone = true
      return
    }
    if (this.contentHasCome && type === '' && isPlainToken(data) && data.endsWith('}')) {
      this.contentFrameCount += 1
      this.#plainTokens += 1
      return
    }
    const event = parsedRecord(utf8Of(data))
    if (event === null) this.noObject(data)
    else this.#read(event, type)
  }

  #read(event: Readonly<Record<string, unknown>>, type: string): void {
    const { choices } = event
    if (Array.isArray(choices)) {
      let isPart = false
      for (const choice of choices.filter(isRecord)) {
        const index = indexOf(choice)
        const reason = choice['finish_reason']
        const hasEnded = typeof reason === 'string' && reason !== ''
        this.#choices.set(index, hasEnded || this.#choices.get(index) === true)
        const delta = choice['delta']
        const isSaid = saysSomething(isRecord(delta) ? delta : choice)
        this.contentHasCome ||= hasEnded || isSaid
        isPart ||= isSaid
      }
      if (isPart) this.contentFrameCount += 1
    }
    this.usageSoFar = reportedUsage(event) ?? this.usageSoFar
    this.failureMessage ??= failureIn(event) ?? (type === 'error' ? textOf(event['message']) : null)
  }
}

function indexOf({ index }: Readonly<Record<string, unknown>>): number {
  if (typeof index !== 'number') return 0
  return index >= 0 && index < MAX_CHOICES && Number.isInteger(index) ? index : MAX_CHOICES
}

/** Keys of a choice or a delta that say nothing of the answer: whose turn it is, and which choice this is. */
const FRAMING = new Set(['role', 'index', 'delta', 'finish_reason', 'logprobs'])

/** Whether a delta, or a choice that has none, holds a part of the answer. */
function saysSomething(delta: Readonly<Record<string, unknown>>): boolean {
  for (const [name, value] of Object.entries(delta)) {
    if (value === null || value === '' || FRAMING.has(name)) continue
    if (typeof value !== 'object' || Object.keys(value).length > 0) return true
  }
  return false
}
