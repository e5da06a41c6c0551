import { type Citation, citationsIn } from '../citation.ts'
import { FrameReader } from '../frame-reader.ts'
import { jsonOfInput } from '../freeform.ts'
import { isRecord, type JsonRecord, numberIn, parsedRecord, recordIn, textIn } from '../json-value.ts'
import type { Usage } from '../neutral.ts'
import { NAMELESS_CALL } from '../part-sequence.ts'
import { utf8Of } from '../sse.ts'
import { failureIn, textOf } from './error.ts'
import {
  callsIn,
  finishOf,
  firstChoice,
  idOf,
  meetsLimit,
  type Said,
  saidIn,
  sourcesIn,
  stopSequenceOf,
  throwIfFailed,
} from './read-answer.ts'
import { detailsIn, StreamedDetails } from './reasoning-details.ts'
import { reportedUsage } from './usage.ts'

/**
 * A call of which something has come. It begins when its name is known. `input`: what a tool that takes a text is
 * called with, of which the arguments are made at the end.
 */
type Call = { readonly key: string; id: string; name: string; early: string; input: string | null }

/** Reads a stream of chat completion chunks. */
export class ChatEventReader extends FrameReader {
  readonly #requestId: string
  #usage: Usage | null = null
  #reason: string | null = null
  #stopSequence: string | null = null
  #hasRefused = false
  #hasSaidEnd = false
  #sources: readonly Citation[] = []
  readonly #details = new StreamedDetails()
  /** How often text, reasoning or a refusal has begun: each time is a part of its own. */
  #spoken = 0
  #speaking = ''
  /** By the number that the upstream gives them. */
  readonly #calls = new Map<number, Call>()
  #callCount = 0
  #hasCalled = false

  constructor(requestId: string) {
    super()
    this.#requestId = requestId
  }

  isComplete(): boolean {
    return this.hasBegun && (this.#reason !== null || this.#hasSaidEnd)
  }

  protected read(data: string, type: string): void {
    if (data.trim() === '[DONE]') {
      // some give no reason: that nothing follows is enough, as in a stream that is passed through
      this.#hasSaidEnd = true
      if (this.isComplete()) this.close()
      return
    }
    const event = parsedRecord(utf8Of(data))
    if (event === null) throw new Error('the upstream sent an event that is not JSON')
    const failure = failureIn(event) ?? (type === 'error' ? textOf(event['message']) : null)
    if (failure !== null) throw new Error(failure)
    this.#usage = reportedUsage(event) ?? this.#usage
    const choice = firstChoice(event)
    if (choice === undefined) return
    if (!this.hasBegun) this.begin({ id: textIn(event['id']) ?? '', model: textIn(event['model']) ?? '', usage: null })
    const delta = recordIn(choice['delta'])
    this.#details.add(detailsIn(delta))
    for (const said of saidIn(delta, choice['logprobs'])) this.#say(said)
    this.#sources = this.#sources.length === 0 ? sourcesIn(event) : this.#sources
    if (Array.isArray(delta['annotations'])) this.parts.cite(this.#spokenKey(), citationsIn(delta['annotations']))
    for (const call of callsIn(delta)) this.#callDelta(call)
    this.#reason = textIn(choice['finish_reason']) || this.#reason
    throwIfFailed(this.#reason ?? '')
    this.#stopSequence = stopSequenceOf(choice) ?? this.#stopSequence
  }

  #say(said: Said): void {
    const { kind, text } = said
    const logprobs = said.kind === 'text' ? said.logprobs : []
    this.#hasRefused ||= kind === 'refusal'
    if (this.#speaking !== kind || !this.parts.has(this.#spokenKey())) this.#turnTo(kind)
    this.parts.delta(this.#spokenKey(), text, logprobs)
  }

  #turnTo(kind: Said['kind']): void {
    this.#endSpoken()
    this.#speaking = kind
    this.#spoken += 1
    this.parts.begin(this.#spokenKey(), { kind })
  }

  #endSpoken(): void {
    const key = this.#spokenKey()
    if (this.#speaking === 'reasoning' && this.parts.openKey() === key) {
      const signed = this.#details.take()
      if (signed !== null) this.parts.signature(key, signed.signature, signed.signedBy)
    }
    if (this.#speaking !== '') this.parts.end(key)
  }

  /** What is signed without a text, or after it, is a thought of its own. */
  #endThoughts(): void {
    this.#endSpoken()
    if (!this.#details.isSigned()) return
    this.#turnTo('reasoning')
    this.#endSpoken()
  }

  #spokenKey(): string {
    return `said ${this.#spoken}`
  }

  #callDelta(delta: JsonRecord): void {
    const custom = isRecord(delta['custom']) ? delta['custom'] : null
    const { name, arguments: args } = custom ?? recordIn(delta['function'])
    const id = textIn(delta['id']) ?? ''
    const call = this.#callOf(numberIn(delta['index']), id)
    if (custom !== null) call.input = (call.input ?? '') + (textIn(custom['input']) ?? '')
    const text = typeof args === 'string' ? args : args === undefined || args === null ? '' : JSON.stringify(args)
    if (call.name !== '') {
      this.parts.delta(call.key, text)
      return
    }
    call.id ||= id
    call.early += text
    call.name = textIn(name) ?? ''
    if (call.name === '') return
    this.#endThoughts()
    this.#hasCalled = true
    this.parts.begin(call.key, {
      kind: 'call',
      id: call.id || idOf(this.#requestId, this.#callCount - 1),
      name: call.name,
    })
    if (call.early !== '') this.parts.delta(call.key, call.early)
  }

  /** Some give every call the number 0, or none: another id is another call. */
  #callOf(index: number | null, id: string): Call {
    const at = index ?? (id === '' ? Math.max(0, this.#callCount - 1) : this.#numberOf(id))
    const known = this.#calls.get(at)
    if (known !== undefined && (id === '' || known.id === '' || known.id === id)) return known
    const call: Call = { key: `call ${this.#callCount}`, id, name: '', early: '', input: null }
    this.#callCount += 1
    this.#calls.set(at, call)
    return call
  }

  #numberOf(id: string): number {
    for (const [at, call] of this.#calls) if (call.id === id) return at
    return this.#callCount
  }

  protected override close(): void {
    if (this.#speaking === 'text') this.parts.cite(this.#spokenKey(), this.#sources)
    this.#sources = []
    for (const { key, id, name, early, input } of this.#calls.values()) {
      if (name !== '' && input !== null) this.parts.delta(key, jsonOfInput(input))
      const isSaid = id !== '' || early !== '' || input !== null
      if (name === '' && isSaid && !meetsLimit(this.#reason)) throw new Error(NAMELESS_CALL)
    }
    this.#calls.clear()
    this.#endSpoken()
    if (this.#details.isSigned()) this.parts.endAll()
    this.#endThoughts()
    super.close()
  }

  protected ending() {
    const finish = finishOf(this.#reason ?? '', { hasCalls: this.#hasCalled, hasRefused: this.#hasRefused })
    return { finish, stopSequence: this.#stopSequence, usage: this.#usage }
  }
}
