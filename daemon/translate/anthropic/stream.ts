import { isRecord, parsedRecord, recordIn } from '../json-value.ts'
import type { Usage } from '../neutral.ts'
import { PassingWatch } from '../passing-watch.ts'
import { utf8Of } from '../sse.ts'
import { failureIn } from './error.ts'
import { readUsage } from './usage.ts'

const DELTA = '"type":"content_block_delta"'

const STOP = Buffer.from('event: message_stop\ndata: {"type":"message_stop"}\n\n')

/** Events that clients throw at, or take for an end, before the one that begins a message. */
const OF_A_MESSAGE = new Set([
  'content_block_start',
  'content_block_delta',
  'content_block_stop',
  'message_delta',
  'message_stop',
])

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
    if (!this.#hasBegun && OF_A_MESSAGE.has(type)) {
      this.garbageMessage = 'the upstream went on with a message that had not begun'
      return
    }
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
        this.usageSoFar = readUsage(usage, null)
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
        this.usageSoFar = readUsage(event['usage'], this.usageSoFar)
        break
      case 'message_stop':
        this.hasSaidEnd = true
    }
  }
}
