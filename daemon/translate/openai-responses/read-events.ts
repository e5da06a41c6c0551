import { citationsIn } from '../citation.ts'
import { FrameReader } from '../frame-reader.ts'
import { type JsonRecord, numberIn, parsedRecord, recordIn, recordsIn, textIn } from '../json-value.ts'
import type { PartStart } from '../neutral.ts'
import { utf8Of } from '../sse.ts'
import { logprobsIn, type TokenLogprobs } from '../token-logprobs.ts'
import { failureIn } from './error.ts'
import { finishOf, jsonOf, nameOf } from './read-answer.ts'
import { signatureOf } from './reasoning.ts'
import { reportedUsage } from './usage.ts'

/** `key` is that of its parts; `index`: its number, null while none is said. */
type Item = { readonly key: string; readonly index: number | null }

/** Reads a stream of a response's events. What an item is when it is done counts where nothing of it came before. */
export class ResponseEventReader extends FrameReader {
  #final: JsonRecord | null = null
  #hasCalls = false
  #hasRefused = false
  /** Items are numbered; some engines only name them, or number them in some events alone. */
  #hasIndexes = false
  /** By their ids. */
  readonly #items = new Map<string, Item>()
  /** Keys of the parts that have begun, of which something has come, or which are said already. */
  readonly #begun = new Set<string>()
  readonly #said = new Set<string>()

  isComplete(): boolean {
    return this.#final !== null
  }

  protected read(data: string, type: string): void {
    const event = parsedRecord(utf8Of(data))
    if (event === null) {
      if (data.trim() === '[DONE]') return
      throw new Error('the upstream sent an event that is not JSON')
    }
    const failure = failureIn(event)
    if (failure !== null) throw new Error(failure)
    this.#event(textIn(event['type']) ?? type, event)
  }

  #event(type: string, event: JsonRecord): void {
    const response = recordIn(event['response'])
    this.#hasIndexes ||= 'output_index' in event
    const key = this.#keyOf(event)
    switch (type) {
      case 'response.created':
      case 'response.in_progress':
      case 'response.queued':
        this.#start(response)
        break
      case 'response.output_item.added':
        this.#start({})
        this.#itemAdded(key, recordIn(event['item']))
        break
      case 'response.output_text.delta':
        this.#more(`${key} text ${contentIndex(event)}`, { kind: 'text' }, event['delta'], event['logprobs'])
        break
      case 'response.output_text.annotation.added':
        this.parts.cite(`${key} text ${contentIndex(event)}`, citationsIn([event['annotation']]))
        break
      case 'response.refusal.delta':
        this.#hasRefused = true
        this.#more(`${key} refusal ${contentIndex(event)}`, { kind: 'refusal' }, event['delta'])
        break
      case 'response.output_text.done':
        this.#doneText(`${key} text ${contentIndex(event)}`, { kind: 'text' }, event['text'])
        break
      case 'response.refusal.done':
        this.#hasRefused = true
        this.#doneText(`${key} refusal ${contentIndex(event)}`, { kind: 'refusal' }, event['refusal'])
        break
      case 'response.reasoning_summary_part.added':
        if (this.#said.has(key)) this.#more(key, { kind: 'reasoning' }, '\n\n')
        break
      case 'response.reasoning_summary_text.delta':
      case 'response.reasoning_text.delta':
      case 'response.reasoning.delta':
        this.#more(key, { kind: 'reasoning' }, event['delta'])
        break
      case 'response.function_call_arguments.delta':
        if (this.#begun.has(key)) this.#say(key, textIn(event['delta']) ?? '')
        break
      case 'response.function_call_arguments.done':
        this.#callDone(key, textIn(event['arguments']) ?? '')
        break
      case 'response.output_item.done':
        this.#itemDone(key, recordIn(event['item']))
        break
      case 'response.failed':
        throw new Error(failureIn(response) ?? 'the upstream reported an error')
      case 'response.completed':
      case 'response.incomplete':
        this.#start(response)
        for (const [index, item] of recordsIn(response['output']).entries()) {
          const ids = idsOf(item)
          this.#itemDone(this.#known(ids, null)?.key ?? (this.#hasIndexes ? null : ids[0]) ?? String(index), item)
        }
        this.#final = response
        this.close()
    }
  }

  /** An item is known by its id and by its number, of which an event may leave out one. */
  #keyOf(event: JsonRecord): string {
    const ids = [...textsIn(event['item_id']), ...idsOf(recordIn(event['item']))]
    const index = numberIn(event['output_index'])
    const known = this.#known(ids, index)
    const key = known?.key ?? String(index ?? ids[0] ?? 0)
    for (const id of ids) this.#items.set(id, { key, index: index ?? known?.index ?? null })
    return key
  }

  /** @param index null: it is not said; items of different numbers are different ones, whatever they are called */
  #known(ids: readonly string[], index: number | null): Item | null {
    const found = ids.map((id) => this.#items.get(id)).find((item) => item !== undefined)
    if (found === undefined) return null
    return index === null || found.index === null || found.index === index ? found : null
  }

  #start(response: JsonRecord): void {
    if (!this.hasBegun)
      this.begin({ id: textIn(response['id']) ?? '', model: textIn(response['model']) ?? '', usage: null })
  }

  #itemAdded(key: string, item: JsonRecord): void {
    const start = startOf(item)
    if (start === null) return
    this.#begin(key, start)
    if (start.kind !== 'call' || item['type'] === 'custom_tool_call') return
    const early = textIn(item['arguments']) ?? ''
    if (early !== '') this.#say(key, early)
  }

  #begin(key: string, start: PartStart): void {
    if (this.#begun.has(key)) return
    this.#begun.add(key)
    this.#hasCalls ||= start.kind === 'call'
    this.parts.begin(key, start)
  }

  #say(key: string, text: string, logprobs: TokenLogprobs = []): void {
    if (text !== '') this.#said.add(key)
    this.parts.delta(key, text, logprobs)
  }

  #more(key: string, start: PartStart, delta: unknown, logprobs: unknown = []): void {
    const text = textIn(delta) ?? ''
    this.#start({})
    this.#begin(key, start)
    // it had to end for what began meanwhile, and goes on
    if (text !== '' && !this.parts.has(key)) this.parts.begin(key, start)
    this.#say(key, text, logprobsIn(logprobs))
  }

  /** A text that may have come before, piece by piece. */
  #doneText(key: string, start: PartStart, text: unknown): void {
    if (!this.#said.has(key) && textIn(text)) this.#more(key, start, text)
    this.parts.end(key)
  }

  #callDone(key: string, json: string): void {
    if (!this.#begun.has(key)) return // the item itself follows
    if (!this.#said.has(key)) this.#say(key, json)
    this.parts.end(key)
  }

  #itemDone(key: string, item: JsonRecord): void {
    switch (item['type']) {
      case 'message':
        for (const [index, part] of recordsIn(item['content']).entries()) {
          const isRefusal = part['type'] === 'refusal'
          const kind = isRefusal ? 'refusal' : 'text'
          this.#hasRefused ||= isRefusal
          this.#doneText(`${key} ${kind} ${index}`, { kind }, part[isRefusal ? 'refusal' : 'text'])
        }
        break
      case 'reasoning': {
        const text = [...recordsIn(item['summary']), ...recordsIn(item['content'])].map(
          (part) => textIn(part['text']) ?? '',
        )
        const { signature, signedBy } = signatureOf(item)
        if (this.#said.has(`${key} done`)) break
        this.#said.add(`${key} done`)
        if (signature !== null || text.length > 0) this.#begin(key, { kind: 'reasoning' })
        if (!this.#said.has(key) && text.length > 0) this.#say(key, text.join('\n\n'))
        if (signature !== null) this.parts.signature(key, signature, signedBy)
        this.parts.end(key)
        break
      }
      case 'function_call':
      case 'custom_tool_call':
        if (this.#said.has(`${key} done`)) break
        this.#said.add(`${key} done`)
        this.#begin(key, { kind: 'call', ...nameOf(item) })
        this.#callDone(key, jsonOf(item))
    }
  }

  protected ending() {
    const response = this.#final ?? {}
    const finish = finishOf(response, { hasCalls: this.#hasCalls, hasRefused: this.#hasRefused })
    return { finish, stopSequence: null, usage: reportedUsage(response) }
  }
}

/** What names an item: its own id, and that of a call. */
const idsOf = ({ id, call_id: call }: JsonRecord): readonly string[] => [...textsIn(id), ...textsIn(call)]

const textsIn = (value: unknown): readonly string[] => [textIn(value)].flatMap((text) => text || [])

const contentIndex = (event: JsonRecord): number => numberIn(event['content_index']) ?? 0

/** What begins with its item; texts begin when they are said. */
function startOf(item: JsonRecord): PartStart | null {
  switch (item['type']) {
    case 'reasoning':
      return { kind: 'reasoning' }
    case 'function_call':
    case 'custom_tool_call':
      return { kind: 'call', ...nameOf(item) }
    default:
      return null
  }
}
