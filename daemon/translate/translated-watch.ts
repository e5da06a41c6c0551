import { GateError } from '../../schemas/words/errors.ts'
import { CountingWatch } from './counting-watch.ts'
import type { NeutralAnswer, NeutralEvent, Usage, WrittenEvent } from './neutral.ts'
import type { EventReader } from './neutral-form.ts'

const NOTHING = Buffer.alloc(0)

/** How an answer has ended. */
export type Ending = Pick<NeutralAnswer, 'finish' | 'stopSequence' | 'usage'>

/** What is told where the upstream says nothing. `inputTokens` is worked out when it is needed. */
type Defaults = {
  readonly requestId: string
  readonly inputTokens: () => number
  /** What the client is told of the end of the answer. */
  readonly end: (said: Ending) => Ending
  /** What the client calls a tool. */
  readonly toolName: (name: string) => string
  /** Nothing is shown before the end. */
  readonly isShownAtOnce?: true
}

/** Reads a stream in one dialect and shows it in another. What is shown are whole frames, however the chunks are cut. */
export class TranslatedWatch extends CountingWatch {
  protected readonly reader: EventReader
  readonly #write: (event: WrittenEvent) => string
  readonly #defaults: Defaults
  #logged: string | null = null

  constructor(reader: EventReader, write: (event: WrittenEvent) => string, defaults: Defaults) {
    super()
    this.reader = reader
    this.#write = write
    this.#defaults = defaults
  }

  feed(chunk: Buffer): Buffer {
    return this.show(this.reader.feed(chunk))
  }
  owed(): Buffer | null {
    return this.reader.owed?.() ?? null
  }
  /** The stream has ended: what closes the answer, unless it was closed before. */
  rest(): Buffer {
    return this.hasSaidEnd || this.failureMessage !== null ? NOTHING : this.show(this.reader.end())
  }
  /** Until something is shown, another upstream can take over. */
  override hasContent(): boolean {
    return this.contentHasCome && this.#defaults.isShownAtOnce !== true
  }
  override usage(): Usage | null {
    return this.hasSaidEnd ? this.usageSoFar : this.atLeastWhatCame()
  }
  isComplete(): boolean {
    return this.hasSaidEnd || this.reader.isComplete()
  }
  atBoundary(): boolean {
    return true
  }

  loggedFailure(): string | null {
    return this.#logged
  }

  errorFrame(error: GateError): string {
    return this.#write({ kind: 'error', error })
  }

  protected show(events: readonly NeutralEvent[]): Buffer {
    let text = ''
    for (const event of events) if (!this.hasSaidEnd && this.failureMessage === null) text += this.#written(event)
    return text === '' ? NOTHING : Buffer.from(text)
  }

  #written(event: NeutralEvent): string {
    this.frameCount += 1
    switch (event.kind) {
      case 'begin': {
        this.usageSoFar = event.usage
        const usage = event.usage ?? this.#counted()
        return this.#write({ ...event, id: event.id || this.#defaults.requestId, usage })
      }
      case 'more':
        this.contentFrameCount += 1
        this.contentHasCome = true
        break
      case 'part':
        if (event.part.kind !== 'call') break
        this.contentHasCome = true
        return this.#write({ ...event, part: { ...event.part, name: this.#defaults.toolName(event.part.name) } })
      case 'end':
        this.hasSaidEnd = true
        this.contentHasCome = true
        this.usageSoFar = event.usage
        return this.#write({
          ...event,
          ...this.#defaults.end(event),
          usage: event.usage ?? this.#counted(),
        })
      case 'error':
        this.failureMessage = event.message
        this.#logged = event.logged ?? null
        return this.#write({ kind: 'error', error: new GateError('UPSTREAM_FAILED', event.message) })
      case 'part-end':
      case 'signature':
      case 'citation':
    }
    return this.#write(event)
  }

  /** As the usage row counts where the upstream reports nothing. */
  #counted(): Usage {
    const inputTokens = this.#defaults.inputTokens()
    return { inputTokens, outputTokens: this.contentFrameCount, cachedTokens: 0, reasoningTokens: 0 }
  }
}
