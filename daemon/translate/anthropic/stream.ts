import type { StreamWatch } from '../dialect.ts'
import { isRecord, parsedRecord, recordIn } from '../json-value.ts'
import type { Usage } from '../neutral.ts'
import { SseScanner, utf8Of } from '../sse.ts'
import { failureIn } from './error.ts'
import { NOTHING, readUsage } from './usage.ts'

const EMPTY = Buffer.alloc(0)
const DELTA = '"type":"content_block_delta"'

/** Watches a message's events go by. Deltas, which nearly all of them are, are recognised by their text. */
export class MessageStreamWatch implements StreamWatch {
  readonly #scanner = new SseScanner((data, type) => this.#event(data, type))
  #frames = 0
  #contentFrames = 0
  #hasContent = false
  #hasBegun = false
  #usage: Usage | null = null
  #isTotal = false
  #isDone = false
  #failure: string | null = null

  feed(chunk: Buffer): Buffer {
    this.#scanner.feed(chunk)
    return chunk
  }
  rest(): Buffer {
    return EMPTY
  }
  frames(): number {
    return this.#frames
  }
  contentFrames(): number {
    return this.#contentFrames
  }
  hasContent(): boolean {
    return this.#hasContent
  }
  /** What was reported; of an answer that is not complete at least what has come. */
  usage(): Usage | null {
    if (this.#usage === null || this.#isTotal) return this.#usage
    return { ...this.#usage, outputTokens: Math.max(this.#usage.outputTokens, this.#contentFrames) }
  }
  isDone(): boolean {
    return this.#isDone
  }
  isComplete(): boolean {
    return this.#isDone && this.#hasBegun // clients throw without the event that says so
  }
  failure(): string | null {
    return this.#failure
  }
  atBoundary(): boolean {
    return this.#scanner.atBoundary()
  }

  #event(data: string, type: string): void {
    this.#frames += 1
    if (type === 'content_block_delta' && data.includes(DELTA)) {
      this.#contentFrames += 1
      this.#hasContent = true
      return
    }
    const event = parsedRecord(utf8Of(data))
    if (event === null) return
    this.#failure ??= failureIn(event)
    switch (event['type']) {
      case 'message_start': {
        const { usage } = recordIn(event['message'])
        this.#hasBegun = true
        if (isRecord(usage)) this.#usage = readUsage(usage, NOTHING)
        break
      }
      case 'content_block_delta':
        this.#contentFrames += 1
        this.#hasContent = true
        break
      case 'message_delta':
        this.#hasContent = true
        if (!isRecord(event['usage'])) break
        this.#isTotal = true
        this.#usage = readUsage(event['usage'], this.#usage ?? NOTHING)
        break
      case 'message_stop':
        this.#isDone = true
    }
  }
}
