import type { GateError } from '../../../schemas/words/errors.ts'
import { isRecord, type JsonRecord, numberIn, parsedRecord, recordIn } from '../json-value.ts'
import { PassingWatch } from '../passing-watch.ts'
import { utf8Of } from '../sse.ts'
import { errorFrame, failureIn, responseError } from './error.ts'
import { frame } from './event.ts'
import { reportedUsage } from './usage.ts'

const DELTA = '.delta"'
const NUMBER = /"sequence_number":\s*(\d{1,9})/

/** Ends that are no failure. */
const GOOD_ENDS = new Set(['response.completed', 'response.incomplete'])

/** Watches a response's events go by. Deltas, which nearly all of them are, are recognised by their text. */
export class ResponseStreamWatch extends PassingWatch {
  /** As it was last said. */
  #response: JsonRecord | null = null
  #number = -1

  isComplete(): boolean {
    return this.hasSaidEnd
  }
  errorFrame(error: GateError): string {
    if (this.#response === null) return errorFrame(error)
    const response = { ...this.#response, status: 'failed', error: responseError(error) }
    return frame(this.#number + 1, 'response.failed', { response })
  }

  /** Pictures make the last event long, which says the whole response again. */
  protected override longFrame(type: string): void {
    super.longFrame(type)
    this.#number += 1
    this.hasSaidEnd ||= GOOD_ENDS.has(type)
  }

  protected frame(data: string, type: string): void {
    if (type.endsWith('.delta') && data.includes(DELTA) && data.endsWith('}')) {
      this.contentFrameCount += 1
      this.contentHasCome = true
      this.#number = Number(NUMBER.exec(data)?.[1] ?? this.#number + 1)
      return
    }
    const event = parsedRecord(utf8Of(data))
    if (event === null) {
      this.noObject(data)
      return
    }
    this.#number = numberIn(event['sequence_number']) ?? this.#number + 1
    const { response } = event
    if (isRecord(response)) this.#response = response
    this.failureMessage ??= failureIn(event)
    switch (event['type']) {
      case 'response.output_item.added':
        this.contentHasCome ||= recordIn(event['item'])['type'] !== 'message'
        break
      case 'response.failed':
        this.failureMessage ??= failureIn(recordIn(response)) ?? 'the upstream reported an error'
        break
      case 'response.completed':
      case 'response.incomplete':
        this.hasSaidEnd = true
        this.contentHasCome = true
        this.usageSoFar = reportedUsage(response)
    }
  }
}
