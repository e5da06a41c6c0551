import { isRecord, parsedRecord, recordIn } from '../json-value.ts'
import type { Usage } from '../neutral.ts'
import { PassingWatch } from '../passing-watch.ts'
import { utf8Of } from '../sse.ts'
import { failureIn } from './error.ts'
import { NOTHING, readUsage } from './usage.ts'

const DELTA = '"type":"content_block_delta"'

const STOP = Buffer.from('event: message_stop\ndata: {"type":"message_stop"}\n\n')

/** Watches a message's events go by. Deltas, which nearly all of them are, are recognised by their text. */
export class MessageStreamWatch extends PassingWatch {
  #hasBegun = false
  #isTotal = false
  #hasReason = false

  override usage(): Usage | null {
    return this.#isTotal ? this.usageSoFar : this.atLeastWhatCame()
  }
  isComplete(): boolean {
    return (this.hasSaidEnd || this.#hasReason) && this.#hasBegun // clients throw without the event that says so
  }
  /** Nothing of the answer is missing when only the event that ends it is. */
  override rest(): Buffer {
    return this.hasSaidEnd ? super.rest() : STOP
  }

  protected frame(data: string, type: string): void {
    if (type === 'content_block_delta' && data.includes(DELTA) && data.endsWith('}')) {
      this.contentFrameCount += 1
      this.contentHasCome = true
      return
    }
    const event = parsedRecord(utf8Of(data))
    if (event === null) {
      this.noObject(data)
      return
    }
    this.failureMessage ??= failureIn(event)
    switch (event['type']) {
      case 'message_start': {
        const { usage } = recordIn(event['message'])
        this.#hasBegun = true
        if (isRecord(usage)) this.usageSoFar = readUsage(usage, NOTHING)
        break
      }
      case 'content_block_delta':
        this.contentFrameCount += 1
        this.contentHasCome = true
        break
      case 'message_delta':
        this.contentHasCome = true
        this.#hasReason ||= typeof recordIn(event['delta'])['stop_reason'] === 'string'
        if (!isRecord(event['usage'])) break
        this.#isTotal = true
        this.usageSoFar = readUsage(event['usage'], this.usageSoFar ?? NOTHING)
        break
      case 'message_stop':
        this.hasSaidEnd = true
    }
  }
}
