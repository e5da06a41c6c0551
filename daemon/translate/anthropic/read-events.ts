import { FrameReader } from '../frame-reader.ts'
import { isRecord, type JsonRecord, parsedRecord, recordIn, textIn } from '../json-value.ts'
import type { PartStart, Usage } from '../neutral.ts'
import { NAMELESS_CALL } from '../part-sequence.ts'
import { utf8Of } from '../sse.ts'
import { failureIn } from './error.ts'
import { citationsIn, finishOf, refusalIn } from './read-answer.ts'
import { readUsage } from './usage.ts'

/** Reads a stream of a message's events. */
export class MessageEventReader extends FrameReader {
  #usage: Usage | null = null
  #reason: unknown = null
  #stopSequence: string | null = null
  /** How each block has begun; null: it is not passed on. */
  readonly #starts = new Map<string, PartStart | null>()

  isComplete(): boolean {
    return this.hasBegun && this.#reason !== null
  }

  protected read(data: string): void {
    const event = parsedRecord(utf8Of(data))
    if (event === null) throw new Error('the upstream sent an event that is not JSON')
    const failure = failureIn(event)
    if (failure !== null) throw new Error(failure)
    switch (event['type']) {
      case 'message_start':
        if (!this.hasBegun) this.#start(recordIn(event['message']))
        break
      case 'content_block_start': {
        const start = startOf(recordIn(event['content_block']))
        this.#starts.set(keyOf(event), start)
        if (start !== null) this.parts.begin(keyOf(event), start)
        this.#early(keyOf(event), recordIn(event['content_block']))
        break
      }
      case 'content_block_delta':
        this.#delta(keyOf(event), recordIn(event['delta']))
        break
      case 'content_block_stop':
        this.parts.end(keyOf(event))
        break
      case 'message_delta': {
        const { stop_reason: reason, stop_sequence: sequence } = recordIn(event['delta'])
        this.#refuse(refusalIn(recordIn(event['delta'])))
        this.#reason = reason ?? this.#reason
        this.#stopSequence = textIn(sequence) ?? this.#stopSequence
        if (isRecord(event['usage'])) this.#usage = readUsage(event['usage'], this.#usage)
        break
      }
      case 'message_stop':
        if (this.isComplete()) this.close()
    }
  }

  #start({ id, model, usage }: JsonRecord): void {
    this.#usage = readUsage(usage, null)
    this.begin({ id: textIn(id) ?? '', model: textIn(model) ?? '', usage: this.#usage })
  }

  #refuse(text: string | null): void {
    if (text === null || this.parts.has(REFUSAL)) return
    this.parts.begin(REFUSAL, { kind: 'refusal' })
    this.parts.delta(REFUSAL, text)
  }

  /** A block may begin with text, or with all of its input. */
  #early(key: string, { type, text, thinking, input }: JsonRecord): void {
    const said = textIn(type === 'thinking' ? thinking : text)
    if (said !== null && said !== '' && this.parts.has(key)) this.parts.delta(key, said)
    if (type === 'tool_use' && Object.keys(recordIn(input)).length > 0) this.parts.delta(key, JSON.stringify(input))
  }

  #delta(key: string, delta: JsonRecord): void {
    const start = this.#starts.get(key) ?? (this.#starts.has(key) ? null : this.#unsaidStart(key, delta))
    if (start === null) return
    const field = TEXTS[String(delta['type'])]
    const text = field === undefined ? '' : (textIn(delta[field]) ?? '')
    // what is said had to end for a block that began meanwhile, and goes on
    if (text !== '' && start.kind !== 'call' && !this.parts.has(key)) this.parts.begin(key, start)
    if (field !== undefined) this.parts.delta(key, text)
    else if (delta['type'] === 'citations_delta') this.parts.cite(key, citationsIn([delta['citation']]))
    else if (delta['type'] === 'signature_delta') this.parts.signature(key, textIn(delta['signature']) ?? '')
  }

  /** Of a block whose beginning has not come: what is in it shows its kind, but for the name of a tool. */
  #unsaidStart(key: string, { type }: JsonRecord): PartStart | null {
    if (type === 'input_json_delta') throw new Error(NAMELESS_CALL)
    if (type !== 'text_delta' && type !== 'thinking_delta') return null
    const start = { kind: type === 'text_delta' ? 'text' : 'reasoning' } as const
    this.#starts.set(key, start)
    this.parts.begin(key, start)
    return start
  }

  protected ending() {
    return { finish: finishOf(this.#reason), stopSequence: this.#stopSequence, usage: this.#usage }
  }
}

/** The key of what is no block. */
const REFUSAL = 'refusal'

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
