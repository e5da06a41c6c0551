import type { FrameScanner, OnFrame } from '../frame-scanner.ts'
import { parsedRecord, recordIn, recordsIn } from '../json-value.ts'
import { PassingWatch } from '../passing-watch.ts'
import { utf8Of } from '../sse.ts'
import { failureIn } from './error.ts'
import { blockedIn } from './read-answer.ts'
import { reportedUsage } from './usage.ts'

/** Watches parts of generated content go by. They end when the upstream closes the stream, after a reason to finish. */
export class ContentStreamWatch extends PassingWatch {
  readonly #asked: number
  readonly #finished = new Set<unknown>()

  /** @param scanner finds the parts in the bytes @param asked how many candidates */
  constructor(scanner: (onPart: OnFrame) => FrameScanner, asked = 1) {
    super(scanner)
    this.#asked = asked
  }

  isComplete(): boolean {
    return this.#finished.size >= this.#asked
  }

  protected override endsUnsaid(): boolean {
    return true
  }

  protected frame(json: string): void {
    const part = parsedRecord(utf8Of(json))
    if (part === null) {
      this.noObject(json)
      return
    }
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
