import { GateError } from '../../../schemas/words/errors.ts'
import { OPENING_BRACE } from '../../../syntax/json/brackets.ts'
import type { Call } from '../call.ts'
import { isRecord, type JsonRecord, parsedRecord, recordIn, textIn } from '../json-value.ts'
import type { RecordedForm, RecordFacts } from '../recorded-form.ts'
import { SseScanner, utf8Of } from '../sse.ts'
import { responseError } from './error.ts'
import { ENDS } from './event.ts'
import { askedIn, responseId, responseObject } from './response-object.ts'

/** Said before an upstream says anything. */
const BEGINNINGS = new Set(['response.created', 'response.queued'])
const NUMBER = /"sequence_number":\s*\d+/
const BROKEN_OFF = new GateError('UPSTREAM_TRUNCATED', 'the response broke off before it was complete')
/** Longest event that is kept: as long as an answer may be that comes whole. */
export const LONGEST_KEPT_BYTES = 32 * 2 ** 20
/** What waits for its end is counted from here on. */
const UNCOUNTED_BYTES = 2 ** 20
/** Longer events are not handed over by the scanner. */
const TOO_LONG = new GateError(
  'UPSTREAM_TRUNCATED',
  'an event of the response is longer than 32 MiB, so that it cannot be kept; ask without "background", and with "store": false',
)
const TOO_MUCH = new GateError('OVERLOADED', 'the response is too long to be kept in memory (server.max_buffered)')

/** Keeps a response. @param last the number of the last event that is told of it so far */
type Keep = (response: JsonRecord, last: number) => void

/**
 * How a response is recorded: under an id of Gate's own, since it may have been told before an upstream said another,
 * with its events numbered anew. @param keep keeps it
 */
export function recordedForm(call: Call, facts: RecordFacts, keep: Keep): RecordedForm {
  return new ResponseRecord(call, facts, keep)
}

/** What a client is told when the process that made a response has gone. */
export function lostResponse(response: JsonRecord): JsonRecord {
  const error = new GateError('NOT_READY', 'Gate stopped before the response was complete; ask again')
  return { ...response, status: 'failed', error: responseError(error) }
}

/** Whether it is not known yet how a response ended. */
export const isOpen = ({ status }: JsonRecord): boolean => status === 'queued' || status === 'in_progress'

class ResponseRecord implements RecordedForm {
  readonly id: string
  readonly isBackground: boolean
  readonly isStreamed: boolean
  /** Holds what was asked, so it is let go at the end; null from then on. */
  #keep: Keep | null
  readonly #hold: (bytes: number) => void
  /** What every mention of the response says, whatever its upstream does. */
  readonly #own: JsonRecord
  readonly #scanner: SseScanner
  #response: JsonRecord
  #output: JsonRecord[] = []
  #number = 0
  #isDone = false
  #hasCome = false
  /** An event was too long, and what it was is not known. */
  #isMissing = false
  /** So much of an event that is not complete was room made for. */
  #countedBytes = UNCOUNTED_BYTES
  /** An answer that is no stream after all. */
  #whole: Buffer[] | null = null
  #out: Buffer[] = []

  constructor(call: Call, { requestId, nowS, hold }: RecordFacts, keep: Keep) {
    const asked = askedIn(call.asked ?? call.body)
    const model = textIn(asked['model']) ?? ''
    this.id = responseId(requestId)
    this.isBackground = asked['background'] === true
    this.isStreamed = asked['stream'] === true
    this.#keep = keep
    this.#hold = hold
    const told = {
      requestId,
      call,
      nowS,
      model,
      showsUsage: true,
      showsThinking: true,
      freeform: new Set<string>(),
      elapsedNs: () => 0,
    }
    this.#response = responseObject(told, { status: 'queued', model, output: [], usage: null })
    const { id, background, previous_response_id } = this.#response
    this.#own = { id, background, store: true, ...(previous_response_id !== null && { previous_response_id }) }
    this.#scanner = new SseScanner((data, type) => {
      if (data !== null) this.#event(data, type)
      else if (ENDS.has(type) && !this.#isDone) this.#fail(responseError(TOO_LONG))
      else this.#isMissing = true
    }, LONGEST_KEPT_BYTES)
  }

  begin(): readonly Buffer[] {
    if (!this.isBackground) return []
    this.#keep?.(this.#response, -1)
    this.#say('response.created', { response: this.#response })
    this.#say('response.queued', { response: this.#response })
    return this.#taken()
  }

  feed(chunk: Buffer): readonly Buffer[] {
    if (this.#isDone || chunk.length === 0) return []
    if (!this.#hasCome && chunk[0] === OPENING_BRACE) this.#whole = []
    this.#hasCome = true
    if (this.#whole === null) this.#feed(chunk)
    else if (this.#mayHold(chunk.length)) this.#whole.push(chunk)
    else this.#fail(responseError(TOO_MUCH))
    return this.#taken()
  }

  #feed(chunk: Buffer): void {
    this.#scanner.feed(chunk)
    const more = this.#scanner.heldBytes() - this.#countedBytes
    if (more <= 0 || this.#isDone) return
    if (this.#mayHold(more)) this.#countedBytes += more
    else this.#fail(responseError(TOO_MUCH))
  }

  end(): readonly Buffer[] {
    if (this.#isDone) return []
    const whole = this.#whole === null ? null : parsedRecord(Buffer.concat(this.#whole).toString('utf8'))
    if (whole?.['object'] === 'response') this.#end(`response.${textIn(whole['status']) ?? 'completed'}`, whole)
    else this.#fail(responseError(this.#isMissing ? TOO_LONG : BROKEN_OFF))
    return this.#taken()
  }

  failed(body: Buffer): readonly Buffer[] {
    if (this.#isDone) return []
    const { code, message } = recordIn(parsedRecord(body.toString('utf8'))?.['error'])
    const isLimit = /too_many_requests|rate_limit/.test(textIn(code) ?? '')
    const told = { code: isLimit ? 'rate_limit_exceeded' : 'server_error', message: textIn(message) ?? 'it failed' }
    this.#fail(told)
    return this.#taken()
  }

  cancelled(): readonly Buffer[] {
    if (this.#isDone) return []
    // there is no event of that name: the SDKs take the state from the response
    this.#end('response.incomplete', { ...this.shown(), status: 'cancelled' })
    return this.#taken()
  }

  isDone(): boolean {
    return this.#isDone
  }

  shown(): JsonRecord {
    return { ...this.#response, output: this.#output }
  }

  #event(data: string, type: string): void {
    if (this.#isDone) return
    if (type.endsWith('.delta') && NUMBER.test(data) && !data.includes('\n')) {
      const text = data.replace(NUMBER, `"sequence_number":${this.#number}`)
      this.#number += 1
      this.#out.push(Buffer.from(`event: ${type}\ndata: ${text}\n\n`, 'latin1'))
      return
    }
    const event = parsedRecord(utf8Of(data))
    if (event === null) return
    const name = textIn(event['type']) ?? type
    if (name === 'error') this.#fail({ code: 'server_error', message: messageOf(event) })
    else if (!isRecord(event['response'])) {
      if (name === 'response.output_item.done') this.#note(event['item'], data.length)
      this.#say(name, event)
    } else if (ENDS.has(name)) this.#end(name, event['response'])
    else {
      this.#response = { ...event['response'], ...this.#own, status: 'in_progress' }
      if (!this.isBackground || !BEGINNINGS.has(name)) this.#say(name, { ...event, response: this.#response })
    }
  }

  /** What there is no room for is not shown before the end. */
  #note(item: unknown, bytes: number): void {
    if (isRecord(item) && this.#mayHold(bytes)) this.#output.push(item)
  }

  #mayHold(bytes: number): boolean {
    try {
      this.#hold(bytes)
      return true
    } catch (error) {
      if (error instanceof GateError) return false
      throw error
    }
  }

  #fail(error: object): void {
    this.#end('response.failed', { ...this.shown(), status: 'failed', error })
  }

  #end(name: string, response: JsonRecord): void {
    const last = { ...response, ...this.#own }
    this.#isDone = true
    this.#keep?.(last, this.#number)
    this.#keep = null
    this.#say(name, { response: last })
    this.#response = {}
    this.#output = []
    this.#whole = null
  }

  #say(type: string, { type: _type, sequence_number: _number, ...rest }: JsonRecord): void {
    const event = { type, sequence_number: this.#number, ...rest }
    this.#number += 1
    this.#out.push(Buffer.from(`event: ${type}\ndata: ${JSON.stringify(event)}\n\n`))
  }

  #taken(): readonly Buffer[] {
    const out = this.#out
    this.#out = []
    return out
  }
}

function messageOf({ error, message }: JsonRecord): string {
  return textIn(recordIn(error)['message']) ?? textIn(message) ?? 'the upstream reported an error'
}
