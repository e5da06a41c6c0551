import { parsedRecord, recordIn } from '../json-value.ts'
import { LineScanner } from '../lines.ts'
import { PassingWatch } from '../passing-watch.ts'
import { utf8Of } from '../sse.ts'
import { failureIn } from './error.ts'
import { reportedUsage } from './usage.ts'

/** Watches the lines of an answer go by, up to the one that says it is done. */
export class LineStreamWatch extends PassingWatch {
  constructor() {
    super((onLine) => new LineScanner(onLine))
  }

  isComplete(): boolean {
    return this.hasSaidEnd
  }

  protected frame(json: string): void {
    const line = parsedRecord(utf8Of(json))
    if (line === null) {
      this.noObject(json)
      return
    }
    this.failureMessage ??= failureIn(line)
    const { content, thinking, tool_calls: calls } = recordIn(line['message'])
    const isSaid = [content, thinking, calls, line['response'], line['thinking']].some(Boolean)
    if (isSaid) this.contentFrameCount += 1
    this.contentHasCome ||= isSaid || line['done'] === true
    if (line['done'] !== true) return
    this.hasSaidEnd = true
    this.usageSoFar = reportedUsage(line)
  }
}
