import { isRecord, parsedRecord } from '../json-value.ts'
import { PassingWatch } from '../passing-watch.ts'
import { utf8Of } from '../sse.ts'
import { failureIn } from './error.ts'
import { mediaUsage } from './media-usage.ts'

/** Pictures come in events of megabytes, which are not parsed: only the last one says more than that it came. */
const MOST_PARSED = 64 * 2 ** 10

const LAST = /\.(done|completed)$/

/** Watches a stream of pictures or sound go by: it ends with an event whose type ends with `.done` or `.completed`. */
export class MediaStreamWatch extends PassingWatch {
  #hasEnded = false

  isComplete(): boolean {
    return this.#hasEnded
  }

  protected override longFrame(type: string): void {
    super.longFrame(type)
    this.#hasEnded ||= LAST.test(type)
  }

  protected frame(data: string): void {
    const event = data.length > MOST_PARSED ? null : parsedRecord(utf8Of(data))
    const type = /"type"\s*:\s*"([\w.]+)"/.exec(data.slice(0, 200))?.[1] ?? ''
    const failure = event === null ? null : failureIn(event)
    this.failureMessage ??= failure ?? (type === 'error' && isRecord(event) ? String(event['message']) : null)
    this.#hasEnded ||= LAST.test(type) || data.trim() === '[DONE]'
    this.contentHasCome = true
    this.contentFrameCount += 1
    this.usageSoFar = mediaUsage(event) ?? this.usageSoFar
  }
}
