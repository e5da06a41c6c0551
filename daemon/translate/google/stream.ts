import { CountingWatch } from '../counting-watch.ts'
import { parsedRecord, recordIn, recordsIn } from '../json-value.ts'
import { type SseScanner, utf8Of } from '../sse.ts'
import { failureIn } from './error.ts'
import type { ListScanner } from './list-scanner.ts'
import { blockedIn } from './read-answer.ts'
import { reportedUsage } from './usage.ts'

const NOTHING = Buffer.alloc(0)

/** Watches parts of generated content go by. They end when the upstream closes the stream, after a reason to finish. */
export class ContentStreamWatch extends CountingWatch {
  readonly #scanner: SseScanner | ListScanner
  readonly #asked: number
  readonly #finished = new Set<unknown>()

  /** @param scanner finds the parts in the bytes @param asked how many candidates */
  constructor(scanner: (onPart: (json: string) => void) => SseScanner | ListScanner, asked = 1) {
    super()
    this.#scanner = scanner((json) => this.#part(json))
    this.#asked = asked
  }

  feed(chunk: Buffer): Buffer {
    this.#scanner.feed(chunk)
    return chunk
  }
  rest(): Buffer {
    return NOTHING
  }
  isComplete(): boolean {
    return this.#finished.size >= this.#asked
  }
  atBoundary(): boolean {
    return this.#scanner.atBoundary()
  }

  #part(json: string): void {
    this.frameCount += 1
    const part = parsedRecord(utf8Of(json))
    if (part === null) return
    this.failureMessage ??= failureIn(part)
    this.usageSoFar = reportedUsage(part) ?? this.usageSoFar
    if (blockedIn(part) !== null) for (let index = 0; index < this.#asked; index += 1) this.#finished.add(index)
    for (const { index = 0, content, finishReason } of recordsIn(part['candidates'])) {
      const isSaid = recordsIn(recordIn(content)['parts']).some(saysSomething)
      if (isSaid) this.contentFrameCount += 1
      if (typeof finishReason === 'string') this.#finished.add(index)
      this.contentHasCome ||= isSaid || typeof finishReason === 'string'
    }
  }
}

const saysSomething = (part: Readonly<Record<string, unknown>>): boolean =>
  Object.values(part).some((value) => value !== '' && value !== null)
