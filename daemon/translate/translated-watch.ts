import type { EventReader, StreamWatch } from './dialect.ts'
import type { NeutralEvent, Usage, WrittenEvent } from './neutral.ts'

const NOTHING = Buffer.alloc(0)

/** What is told where the upstream says nothing. `inputTokens` is worked out when it is needed. */
type Defaults = { readonly requestId: string; readonly inputTokens: () => number }

/** Reads a stream in one dialect and shows it in another. What is shown are whole frames, however the chunks are cut. */
export class TranslatedWatch implements StreamWatch {
  readonly #reader: EventReader
  readonly #write: (event: WrittenEvent) => string
  readonly #defaults: Defaults
  #frames = 0
  #contentFrames = 0
  #hasContent = false
  #usage: Usage | null = null
  #isDone = false
  #failure: string | null = null

  constructor(reader: EventReader, write: (event: WrittenEvent) => string, defaults: Defaults) {
    this.#reader = reader
    this.#write = write
    this.#defaults = defaults
  }

  feed(chunk: Buffer): Buffer {
    return this.#show(this.#reader.feed(chunk))
  }
  /** The stream has ended: what closes the answer, unless it was closed before. */
  rest(): Buffer {
    return this.#isDone || this.#failure !== null ? NOTHING : this.#show(this.#reader.end())
  }
  frames(): number {
    return this.#frames
  }
  contentFrames(): number {
    return this.#contentFrames
  }
  hasContent(): boolean {
    return this.#hasContent
  }
  /** What was reported; of an answer that is not complete at least what has come. */
  usage(): Usage | null {
    if (this.#usage === null || this.#isDone) return this.#usage
    return { ...this.#usage, outputTokens: Math.max(this.#usage.outputTokens, this.#contentFrames) }
  }
  isDone(): boolean {
    return this.#isDone
  }
  isComplete(): boolean {
    return this.#isDone || this.#reader.isComplete()
  }
  failure(): string | null {
    return this.#failure
  }
  atBoundary(): boolean {
    return true
  }

  #show(events: readonly NeutralEvent[]): Buffer {
    let text = ''
    for (const event of events) if (!this.#isDone && this.#failure === null) text += this.#written(event)
    return text === '' ? NOTHING : Buffer.from(text)
  }

  #written(event: NeutralEvent): string {
    this.#frames += 1
    switch (event.kind) {
      case 'begin': {
        this.#usage = event.usage
        const usage = event.usage ?? this.#counted()
        return this.#write({ ...event, id: event.id || this.#defaults.requestId, usage })
      }
      case 'more':
        this.#contentFrames += 1
        this.#hasContent = true
        break
      case 'part':
        this.#hasContent ||= event.part.kind === 'call'
        break
      case 'end':
        this.#isDone = true
        this.#hasContent = true
        this.#usage = event.usage
        return this.#write({ ...event, usage: event.usage ?? this.#counted() })
      case 'error':
        this.#failure = event.message
        return this.#write(event)
      case 'part-end':
      case 'signature':
    }
    return this.#write(event)
  }

  /** As the usage row counts where the upstream reports nothing. */
  #counted(): Usage {
    const inputTokens = this.#defaults.inputTokens()
    return { inputTokens, outputTokens: this.#contentFrames, cachedTokens: 0, reasoningTokens: 0 }
  }
}
