import type { Citation } from '../citation.ts'
import { inputOf } from '../freeform.ts'
import type { PartStart, WrittenEvent } from '../neutral.ts'
import type { Told } from '../neutral-form.ts'
import { logprobObjects, type TokenLogprobs } from '../token-logprobs.ts'
import { errorFrame } from './error.ts'
import {
  annotationOf,
  callItem,
  messageItem,
  reasoningItem,
  refusalPart,
  statusOfCall,
  summaryPart,
  textPart,
  toolNames,
} from './items.ts'
import { type DeltaFrame, deltaFrame, Output } from './output.ts'
import { sealedOf, sealedOfRedacted } from './reasoning.ts'
import { endOf } from './response-object.ts'
import type { ToolName } from './tools.ts'

/** Writes a stream of another dialect as a response's events. */
export function writeEvents(told: Told): (event: WrittenEvent) => string {
  const writer = new EventWriter(told)
  return (event) => writer.write(event)
}

/** The part that is open, and what has been said of it. */
type Open = {
  readonly start: PartStart
  readonly tool: ToolName | null
  text: string
  readonly logprobs: TokenLogprobs[number][]
  readonly citations: Citation[]
  signature: string | null
  signedBy: string | undefined
  /** Writes the events that go on with it; null before the first. */
  deltaFrame: DeltaFrame | null
}

class EventWriter {
  readonly #nameOf: (flat: string) => ToolName
  readonly #output: Output
  #hasBegun = false
  /** The content of the message that is open; null: none is. */
  #content: object[] | null = null
  #part: Open | null = null
  #hasRefused = false

  constructor(told: Told) {
    this.#nameOf = toolNames(told)
    this.#output = new Output(told)
  }

  write(event: WrittenEvent): string {
    switch (event.kind) {
      case 'begin':
        this.#hasBegun = true
        this.#output.model = event.model || this.#output.model
        return this.#output.lifecycle('created', 'in_progress') + this.#output.lifecycle('in_progress', 'in_progress')
      case 'part':
        return this.#begin(event.part)
      case 'more':
        return this.#more(event.text, event.logprobs)
      case 'citation':
        return this.#cite(event.citation)
      case 'signature':
        this.#sign(event.signature, event.signedBy)
        return ''
      case 'part-end':
        return this.#end()
      case 'end': {
        const end = endOf(event.finish, this.#hasRefused)
        const isComplete = end.status === 'completed'
        const how = isComplete ? 'completed' : 'incomplete'
        return this.#endMessage(how) + this.#output.lifecycle(how, end.status, { ...end, usage: event.usage })
      }
      case 'error':
        if (!this.#hasBegun) return errorFrame(event.error)
        if (this.#content !== null)
          this.#output.push(messageItem(this.#output.place(), this.#contentSoFar(), 'incomplete'))
        return this.#output.lifecycle('failed', 'failed', { error: event.error })
    }
  }

  #begin(start: PartStart): string {
    const tool = start.kind === 'call' ? this.#nameOf(start.name) : null
    const open: Open = {
      start,
      tool,
      text: '',
      logprobs: [],
      citations: [],
      signature: null,
      signedBy: undefined,
      deltaFrame: null,
    }
    switch (start.kind) {
      case 'text':
      case 'refusal': {
        this.#hasRefused ||= start.kind === 'refusal'
        const message =
          this.#content === null ? this.#output.added(messageItem(this.#output.place(), [], 'in_progress')) : ''
        this.#content ??= []
        this.#part = open
        return message + this.#output.event('content_part.added', { ...this.#contentPlace(), part: partOf(open) })
      }
      case 'reasoning':
      case 'redacted': {
        const message = this.#endMessage('completed')
        this.#part = open
        return message + this.#output.added(reasoningItem(this.#output.place(), '', null))
      }
      case 'call': {
        const message = this.#endMessage('completed')
        this.#part = open
        return message + this.#output.added(this.#callItem(open, start.id, '', 'in_progress'))
      }
    }
  }

  #sign(signature: string, signedBy: string | undefined): void {
    const open = this.#part
    if (open === null) return
    open.signature = (open.signature ?? '') + signature
    open.signedBy = signedBy
  }

  #more(text: string, logprobs?: TokenLogprobs): string {
    const open = this.#part
    if (open === null) return ''
    const isFirst = open.text === ''
    open.text += text
    switch (open.start.kind) {
      case 'text':
        if (logprobs !== undefined) return this.#likelyText(open, text, logprobs)
        open.deltaFrame ??= deltaFrame('output_text.delta', { ...this.#contentPlace(), delta: '', logprobs: [] })
        return this.#output.delta(open.deltaFrame, text)
      case 'refusal':
        open.deltaFrame ??= deltaFrame('refusal.delta', { ...this.#contentPlace(), delta: '' })
        return this.#output.delta(open.deltaFrame, text)
      case 'reasoning': {
        const place = this.#summaryPlace()
        const part = isFirst
          ? this.#output.event('reasoning_summary_part.added', { ...place, part: summaryPart('') })
          : ''
        open.deltaFrame ??= deltaFrame('reasoning_summary_text.delta', { ...place, delta: '' })
        return part + this.#output.delta(open.deltaFrame, text)
      }
      case 'call': // a text without JSON is known when all of it has come
        if (open.tool?.isFreeform === true) return ''
        open.deltaFrame ??= deltaFrame('function_call_arguments.delta', { ...this.#output.itemPlace('fc'), delta: '' })
        return this.#output.delta(open.deltaFrame, text)
      case 'redacted':
        return ''
    }
  }

  #cite(citation: Citation): string {
    const open = this.#part
    if (open === null) return ''
    open.citations.push(citation)
    return this.#output.event('output_text.annotation.added', {
      ...this.#contentPlace(),
      annotation_index: open.citations.length - 1,
      annotation: annotationOf(citation, open.text),
    })
  }

  #likelyText(open: Open, delta: string, logprobs: TokenLogprobs): string {
    for (const one of logprobs) open.logprobs.push(one)
    return this.#output.event('output_text.delta', {
      ...this.#contentPlace(),
      delta,
      logprobs: logprobObjects(logprobs),
    })
  }

  #end(): string {
    const open = this.#part
    if (open === null) return ''
    this.#part = null
    switch (open.start.kind) {
      case 'text':
      case 'refusal':
        return this.#endContent(open)
      case 'reasoning': {
        const { text } = open
        const item = reasoningItem(this.#output.place(), text, sealedOf(open))
        const place = this.#summaryPlace()
        const done =
          text === ''
            ? ''
            : this.#output.event('reasoning_summary_text.done', { ...place, text }) +
              this.#output.event('reasoning_summary_part.done', { ...place, part: summaryPart(text) })
        return done + this.#output.done(item)
      }
      case 'redacted':
        return this.#output.done(reasoningItem(this.#output.place(), '', sealedOfRedacted(open.start)))
      case 'call':
        return this.#endCall(open, open.start.id)
    }
  }

  #endContent(open: Open): string {
    const place = this.#contentPlace()
    const part = partOf(open)
    const said =
      open.start.kind === 'text'
        ? this.#output.event('output_text.done', { ...place, text: open.text, logprobs: logprobObjects(open.logprobs) })
        : this.#output.event('refusal.done', { ...place, refusal: open.text })
    const done = said + this.#output.event('content_part.done', { ...place, part })
    this.#content?.push(part)
    return done
  }

  #endCall(open: Open, id: string): string {
    if (open.tool?.isFreeform === true) {
      const input = inputOf(open.text)
      const place = this.#output.itemPlace('ctc')
      return (
        this.#output.event('custom_tool_call_input.delta', { ...place, delta: input }) +
        this.#output.event('custom_tool_call_input.done', { ...place, input }) +
        this.#output.done(this.#callItem(open, id, open.text, 'completed'))
      )
    }
    const json = open.text.trim() === '' ? '{}' : open.text
    const place = this.#output.itemPlace('fc')
    return (
      (json === open.text ? '' : this.#output.event('function_call_arguments.delta', { ...place, delta: json })) +
      this.#output.event('function_call_arguments.done', { ...place, arguments: json }) +
      this.#output.done(this.#callItem(open, id, json, statusOfCall(json)))
    )
  }

  #callItem({ tool }: Open, id: string, json: string, status: 'in_progress' | 'completed' | 'incomplete'): object {
    const name = tool ?? { name: '', namespace: null, isFreeform: false }
    return callItem(this.#output.place(), { id, json }, name, status)
  }

  /** A message goes on until something else begins. */
  #endMessage(status: 'completed' | 'incomplete'): string {
    if (this.#content === null) return ''
    const item = messageItem(this.#output.place(), this.#content, status)
    this.#content = null
    return this.#output.done(item)
  }

  /** With the part that is open. */
  #contentSoFar(): readonly object[] {
    const open = this.#part
    const isContent = open?.start.kind === 'text' || open?.start.kind === 'refusal'
    return [...(this.#content ?? []), ...(isContent && open !== null ? [partOf(open)] : [])]
  }

  #contentPlace() {
    return { ...this.#output.itemPlace('msg'), content_index: this.#content?.length ?? 0 }
  }

  #summaryPlace() {
    return { ...this.#output.itemPlace('rs'), summary_index: 0 }
  }
}

function partOf({ start, text, logprobs, citations }: Open): object {
  return start.kind === 'refusal' ? refusalPart(text) : textPart(text, logprobs, citations)
}
