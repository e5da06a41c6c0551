import { parsedRecord, textIn } from '../json-value.ts'
import { LineScanner } from '../lines.ts'
import { SpokenReader } from '../spoken-reader.ts'
import { utf8Of } from '../sse.ts'
import { failureIn } from './error.ts'
import { finishOf, idOf, saidIn } from './read-answer.ts'
import { reportedUsage } from './usage.ts'

/** Reads the lines of an answer. */
export class LineEventReader extends SpokenReader {
  readonly #requestId: string

  constructor(requestId: string) {
    super((onFrame) => new LineScanner(onFrame))
    this.#requestId = requestId
  }

  protected read(data: string): void {
    const line = parsedRecord(utf8Of(data))
    if (line === null) throw new Error('the upstream sent a line that is not JSON')
    const failure = failureIn(line)
    if (failure !== null) throw new Error(failure)
    if (!this.hasBegun) this.begin({ id: '', model: textIn(line['model']) ?? '', usage: null })
    for (const said of saidIn(line)) {
      if (said.kind === 'call') this.wholeCall(idOf(this.#requestId, this.callCount), said.name, said.json)
      else this.say(said.kind, said.text, said.kind === 'text' ? said.logprobs : [])
    }
    if (line['done'] !== true) return
    this.usage = reportedUsage(line)
    this.finish = finishOf(line, this.callCount > 0)
    this.close()
  }
}
