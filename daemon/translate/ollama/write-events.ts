import { CallSignatures } from '../call-signature.ts'
import type { PartStart, ReasoningPart, WrittenEvent } from '../neutral.ts'
import type { Told } from '../neutral-form.ts'
import { errorFrame } from './error.ts'
import { callObject, comesWithCall, ending, type Form, logprobsOf, timeOf } from './write-answer.ts'

const NOT_SIGNED = { signature: null }

/** Writes a stream of another dialect as lines. A call is written when all of it is there. */
export function writeEvents(form: Form, told: Told): (event: WrittenEvent) => string {
  const created_at = timeOf(told)
  let model = told.model
  let part: PartStart = { kind: 'text' }
  let text = ''
  let signed: Pick<ReasoningPart, 'signature' | 'signedBy'> = NOT_SIGNED
  const signatures = new CallSignatures()
  let calls = 0
  /** The call that came last: what is thought after it, at the end, is in its signature as well. */
  let held: ((signature: string | null) => string) | null = null
  let firstNs: number | null = null

  const line = (said: Parameters<Form>[0], rest: object = { done: false }) =>
    `${JSON.stringify({ model, created_at, ...form(said), ...rest })}\n`

  const holding =
    (call: { readonly id: string; readonly name: string; readonly json: string }, own: string | null) =>
    (late: string | null): string =>
      line({ calls: [callObject(call, calls - 1, own ?? late)] })
  const release = (signature: string | null): string => {
    const call = held?.(signature) ?? ''
    held = null
    return call
  }

  return (event) => {
    switch (event.kind) {
      case 'begin':
        model = event.model || model
        return ''
      case 'part':
        part = event.part
        text = ''
        signed = NOT_SIGNED
        if (part.kind === 'redacted') signatures.keep(part)
        firstNs ??= told.elapsedNs()
        return part.kind === 'redacted' || part.kind === 'reasoning' ? '' : release(null)
      case 'more':
        if (part.kind === 'call' || part.kind === 'reasoning') text += event.text
        if (part.kind === 'call') return ''
        if (part.kind === 'reasoning') return told.showsThinking ? line({ thinking: event.text }) : ''
        return line({ text: event.text }, { ...logprobsOf(event.logprobs), done: false })
      case 'citation':
        return ''
      case 'signature':
        signed = event
        return ''
      case 'part-end': {
        const thought = { ...signed, kind: 'reasoning', text } as const
        if (part.kind === 'reasoning' && comesWithCall(thought, told)) signatures.keep(thought)
        if (part.kind !== 'call') return ''
        calls += 1
        held = holding({ ...part, json: text }, signatures.take())
        return ''
      }
      case 'end': {
        const totalNs = told.elapsedNs()
        return (
          release(signatures.take()) +
          line({}, ending(event.finish, event.usage, { totalNs, firstNs: firstNs ?? totalNs }))
        )
      }
      case 'error':
        return release(null) + errorFrame(event.error)
    }
  }
}
