import { FrameReader } from '../frame-reader.ts'
import { parsedRecord, textIn } from '../json-value.ts'
import { LineScanner } from '../lines.ts'
import type { Finish, Usage } from '../neutral.ts'
import { utf8Of } from '../sse.ts'
import { failureIn } from './error.ts'
import { finishOf, idOf, saidIn } from './read-answer.ts'
import { reportedUsage } from './usage.ts'

/** Reads the lines of an answer. */
export class LineEventReader extends FrameReader {
  readonly #requestId: string
  #usage: Usage | null = null
  #finish: Finish | null = null
  #callCount = 0
  #spoken = 0
  #speaking = ''

  constructor(requestId: string) {
    super((onFrame) => new LineScanner(onFrame))
    this.#requestId = requestId
  }

  isComplete(): boolean {
    return this.hasBegun && this.#finish !== null
  }

  protected read(data: string): void {
    const line = parsedRecord(utf8Of(data))
    if (line === null) throw new Error('the upstream sent a line that is not JSON')
    const failure = failureIn(line)
    if (failure !== null) throw new Error(failure)
    if (!this.hasBegun) this.begin({ id: '', model: textIn(line['model']) ?? '', usage: null })
    for (const said of saidIn(line)) {
      if (said.kind === 'call') this.#call(said.name, said.json)
      else this.#say(said.kind, said.text)
    }
    if (line['done'] !== true) return
    this.#usage = reportedUsage(line)
    this.#finish = finishOf(line, this.#callCount > 0)
    this.close()
  }

  #call(name: string, json: string): void {
    this.#fallSilent()
    const key = `call ${this.#callCount}`
    this.parts.begin(key, { kind: 'call', id: idOf(this.#requestId, this.#callCount), name })
    this.parts.delta(key, json)
    this.parts.end(key)
    this.#callCount += 1
  }

  #say(kind: 'text' | 'reasoning', text: string): void {
    if (this.#speaking !== kind) {
      this.#fallSilent()
      this.#speaking = kind
      this.#spoken += 1
      this.parts.begin(this.#key(), { kind })
    }
    this.parts.delta(this.#key(), text)
  }

  #fallSilent(): void {
    if (this.#speaking !== '') this.parts.end(this.#key())
    this.#speaking = ''
  }

  #key(): string {
    return `said ${this.#spoken}`
  }

  protected ending() {
    return { finish: this.#finish ?? 'end', stopSequence: null, usage: this.#usage }
  }
}
