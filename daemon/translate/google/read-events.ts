import { FrameReader } from '../frame-reader.ts'
import { type JsonRecord, parsedRecord, textIn } from '../json-value.ts'
import type { Finish, Usage } from '../neutral.ts'
import { utf8Of } from '../sse.ts'
import { failureIn } from './error.ts'
import { blockedIn, finishOf, firstCandidate, idOf, type Said, saidIn } from './read-answer.ts'
import { SIGNED_BY } from './signature.ts'
import { reportedUsage } from './usage.ts'

/** Reads a stream of parts of generated content. It ends when the upstream closes it. */
export class ContentEventReader extends FrameReader {
  readonly #requestId: string
  #usage: Usage | null = null
  #finish: Finish | null = null
  #callCount = 0
  /** How often text or reasoning has begun: each time is a part of its own. */
  #spoken = 0
  #speaking = ''

  constructor(requestId: string) {
    super()
    this.#requestId = requestId
  }

  isComplete(): boolean {
    return this.hasBegun && this.#finish !== null
  }

  protected read(data: string): void {
    const event = parsedRecord(utf8Of(data))
    if (event === null) throw new Error('the upstream sent an event that is not JSON')
    const failure = failureIn(event)
    if (failure !== null) throw new Error(failure)
    this.#usage = reportedUsage(event) ?? this.#usage
    const candidate = firstCandidate(event)
    const blocked = blockedIn(event)
    if (candidate === undefined && blocked === null) return
    if (!this.hasBegun) this.#begin(event)
    if (blocked !== null) this.#say('refusal', blocked.text)
    for (const said of saidIn(candidate ?? {})) this.#part(said)
    if (blocked !== null || typeof candidate?.['finishReason'] === 'string') {
      this.#finish = finishOf(candidate ?? {}, { hasCalls: this.#callCount > 0, isBlocked: blocked !== null })
    }
  }

  #begin({ responseId, modelVersion }: JsonRecord): void {
    this.begin({ id: textIn(responseId) ?? '', model: textIn(modelVersion) ?? '', usage: this.#usage })
  }

  #part(said: Said): void {
    if (said.kind !== 'call') {
      this.#say(said.kind, said.text)
      return
    }
    const { call, signature } = said
    if (signature !== null) {
      this.#speak('reasoning')
      this.parts.signature(this.#key(), signature, SIGNED_BY)
    }
    this.#fallSilent()
    const key = `call ${this.#callCount}`
    this.parts.begin(key, { kind: 'call', id: call.id || idOf(this.#requestId, this.#callCount), name: call.name })
    this.parts.delta(key, call.json)
    this.parts.end(key)
    this.#callCount += 1
  }

  #say(kind: 'text' | 'reasoning' | 'refusal', text: string): void {
    this.#speak(kind)
    this.parts.delta(this.#key(), text)
  }

  #speak(kind: 'text' | 'reasoning' | 'refusal'): void {
    if (this.#speaking === kind) return
    this.#fallSilent()
    this.#speaking = kind
    this.#spoken += 1
    this.parts.begin(this.#key(), { kind })
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
