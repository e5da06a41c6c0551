import { FrameReader } from '../frame-reader.ts'
import { isRecord, type JsonRecord, parsedRecord, recordIn, textIn } from '../json-value.ts'
import type { PartStart, Usage } from '../neutral.ts'
import { utf8Of } from '../sse.ts'
import { failureIn } from './error.ts'
import { citationsIn, finishOf, refusalIn } from './read-answer.ts'
import { NOTHING, readUsage } from './usage.ts'

/** Reads a stream of a message's events. */
export class MessageEventReader extends FrameReader {
  #usage: Usage | null = null
  #reason: unknown = null
  #stopSequence: string | null = null
  /** Blocks that are passed on. */
  readonly #starts = new Map<string, PartStart>()

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
        if (start !== null) {
          this.#starts.set(keyOf(event), start)
          this.parts.begin(keyOf(event), start)
        }
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
        if (isRecord(event['usage'])) this.#usage = readUsage(event['usage'], this.#usage ?? NOTHING)
        break
      }
      case 'message_stop':
        if (this.isComplete()) this.close()
    }
  }

  #start({ id, model, usage }: JsonRecord): void {
    if (isRecord(usage)) this.#usage = readUsage(usage, NOTHING)
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
    const start = this.#starts.get(key)
    if (start === undefined) return // of a block that is not passed on
    const field = TEXTS[String(delta['type'])]
    const text = field === undefined ? '' : (textIn(delta[field]) ?? '')
    // what is said had to end for a block that began meanwhile, and goes on
    if (text !== '' && start.kind !== 'call' && !this.parts.has(key)) this.parts.begin(key, start)
    if (field !== undefined) this.parts.delta(key, text)
    else if (delta['type'] === 'citations_delta') this.parts.cite(key, citationsIn([delta['citation']]))
    else if (delta['type'] === 'signature_delta') this.parts.signature(key, textIn(delta['signature']) ?? '')
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
