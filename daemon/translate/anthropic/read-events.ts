import type { EventReader } from '../dialect.ts'
import { isRecord, type JsonRecord, parsedRecord, recordIn, textIn } from '../json-value.ts'
import type { NeutralEvent, PartStart, Usage } from '../neutral.ts'
import { PartSequence } from '../part-sequence.ts'
import { SseScanner, utf8Of } from '../sse.ts'
import { failureIn } from './error.ts'
import { finishOf } from './read-answer.ts'
import { NOTHING, readUsage } from './usage.ts'

/** Reads a stream of a message's events. */
export class MessageEventReader implements EventReader {
  readonly #scanner = new SseScanner((data) => this.#event(data))
  readonly #parts = new PartSequence()
  readonly #events: NeutralEvent[] = []
  #hasBegun = false
  #hasEnded = false
  #usage: Usage | null = null
  #reason: unknown = null
  #stopSequence: string | null = null

  feed(chunk: Buffer): readonly NeutralEvent[] {
    this.#scanner.feed(chunk)
    return this.#events.splice(0)
  }

  end(): readonly NeutralEvent[] {
    this.#end()
    return this.#events.splice(0)
  }

  isComplete(): boolean {
    return this.#hasBegun && this.#reason !== null
  }

  #event(data: string): void {
    if (this.#hasEnded) return
    const event = parsedRecord(utf8Of(data))
    const failure = event === null ? 'the upstream sent an event that is not JSON' : failureIn(event)
    try {
      if (event === null || failure !== null) throw new Error(failure ?? '')
      this.#read(event)
    } catch (error) {
      this.#fail(error instanceof Error ? error.message : String(error))
    }
  }

  #fail(message: string): void {
    this.#hasEnded = true
    this.#events.push({ kind: 'error', message })
  }

  #read(event: JsonRecord): void {
    switch (event['type']) {
      case 'message_start':
        if (!this.#hasBegun) this.#begin(recordIn(event['message']))
        break
      case 'content_block_start': {
        const start = startOf(recordIn(event['content_block']))
        if (start !== null) this.#parts.begin(keyOf(event), start)
        this.#early(keyOf(event), recordIn(event['content_block']))
        break
      }
      case 'content_block_delta':
        this.#delta(keyOf(event), recordIn(event['delta']))
        break
      case 'content_block_stop':
        this.#parts.end(keyOf(event))
        break
      case 'message_delta': {
        const { stop_reason: reason, stop_sequence: sequence } = recordIn(event['delta'])
        this.#reason = reason ?? this.#reason
        this.#stopSequence = textIn(sequence) ?? this.#stopSequence
        if (isRecord(event['usage'])) this.#usage = readUsage(event['usage'], this.#usage ?? NOTHING)
        break
      }
      case 'message_stop':
        if (this.isComplete()) this.#end()
    }
    this.#events.push(...this.#parts.take())
  }

  #begin({ id, model, usage }: JsonRecord): void {
    this.#hasBegun = true
    if (isRecord(usage)) this.#usage = readUsage(usage, NOTHING)
    this.#events.push({ kind: 'begin', id: textIn(id) ?? '', model: textIn(model) ?? '', usage: this.#usage })
  }

  /** A block may begin with text, or with all of its input. */
  #early(key: string, { type, text, thinking, input }: JsonRecord): void {
    const said = textIn(type === 'thinking' ? thinking : text)
    if (said !== null && said !== '' && this.#parts.has(key)) this.#parts.delta(key, said)
    if (type === 'tool_use' && Object.keys(recordIn(input)).length > 0) this.#parts.delta(key, JSON.stringify(input))
  }

  #delta(key: string, delta: JsonRecord): void {
    if (!this.#parts.has(key)) return // of a block that is not passed on
    const field = TEXTS[String(delta['type'])]
    if (field !== undefined) this.#parts.delta(key, textIn(delta[field]) ?? '')
    else if (delta['type'] === 'signature_delta') this.#parts.signature(key, textIn(delta['signature']) ?? '')
  }

  #end(): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    this.#parts.endAll()
    this.#events.push(...this.#parts.take())
    const finish = finishOf(this.#reason)
    this.#events.push({ kind: 'end', finish, stopSequence: this.#stopSequence, usage: this.#usage })
  }
}

/** Where each kind of delta has its text. */
const TEXTS: Readonly<Record<string, string>> = {
  text_delta: 'text',
  thinking_delta: 'thinking',
  input_json_delta: 'partial_json',
}

const keyOf = ({ index }: JsonRecord): string => String(index ?? 0)

/** Null for blocks of tools that the provider runs itself. */
function startOf(block: JsonRecord): PartStart | null {
  switch (block['type']) {
    case 'text':
      return { kind: 'text' }
    case 'thinking':
      return { kind: 'reasoning' }
    case 'redacted_thinking':
      return { kind: 'redacted', sealed: textIn(block['data']) ?? '' }
    case 'tool_use':
      return { kind: 'call', id: textIn(block['id']) ?? '', name: textIn(block['name']) ?? '' }
    default:
      return null
  }
}
