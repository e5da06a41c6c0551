import { CountingWatch } from '../counting-watch.ts'
import { isRecord, parsedRecord } from '../json-value.ts'
import { SseScanner, utf8Of } from '../sse.ts'
import { failureIn } from './error.ts'
import { mediaUsage } from './media-usage.ts'

const NOTHING = Buffer.alloc(0)
/** Pictures come in events of megabytes, which are not parsed: only the last one says more than that it came. */
const MOST_PARSED = 64 * 2 ** 10

/** Watches a stream of pictures or sound go by: it ends with an event whose type ends with `.done` or `.completed`. */
export class MediaStreamWatch extends CountingWatch {
  readonly #scanner = new SseScanner((data) => this.#event(data))
  #hasEnded = false

  feed(chunk: Buffer): Buffer {
    this.#scanner.feed(chunk)
    return chunk
  }
  rest(): Buffer {
    return NOTHING
  }
  isComplete(): boolean {
    return this.#hasEnded
  }
  atBoundary(): boolean {
    return this.#scanner.atBoundary()
  }

  #event(data: string): void {
    this.frameCount += 1
    const event = data.length > MOST_PARSED ? null : parsedRecord(utf8Of(data))
    const type = /"type"\s*:\s*"([\w.]+)"/.exec(data.slice(0, 200))?.[1] ?? ''
    const failure = event === null ? null : failureIn(event)
    this.failureMessage ??= failure ?? (type === 'error' && isRecord(event) ? String(event['message']) : null)
    this.#hasEnded ||= /\.(done|completed)$/.test(type) || data.trim() === '[DONE]'
    this.contentHasCome = true
    this.contentFrameCount += 1
    this.usageSoFar = mediaUsage(event) ?? this.usageSoFar
  }
}
