import type { AnswerPart, EndEvent, NeutralAnswer, Usage, WrittenEvent } from './neutral.ts'

/** A whole answer as the steps of a stream, for a client that asked for one when its upstream sent none. */
export function stepsOf(answer: NeutralAnswer & { readonly usage: Usage }): readonly WrittenEvent[] {
  const { id, model, parts, finish, stopSequence, usage } = answer
  const end: EndEvent = { kind: 'end', finish, stopSequence, usage }
  return [{ kind: 'begin', id, model, usage }, ...parts.flatMap(partSteps), end]
}

function partSteps(part: AnswerPart): readonly WrittenEvent[] {
  const end = { kind: 'part-end' } as const
  switch (part.kind) {
    case 'redacted':
      return [{ kind: 'part', part }, end]
    case 'call': {
      const { kind, id, name, json } = part
      return [{ kind: 'part', part: { kind, id, name } }, { kind: 'more', text: json }, end]
    }
    case 'text':
    case 'refusal': {
      const cited = part.kind === 'text' ? (part.citations ?? []) : []
      const citations = cited.map((citation) => ({ kind: 'citation', citation }) as const)
      return [{ kind: 'part', part: { kind: part.kind } }, { kind: 'more', text: part.text }, ...citations, end]
    }
    case 'reasoning': {
      const { kind, text, signature, signedBy } = part
      const signed = signature === null ? [] : [{ kind: 'signature', signature, signedBy } as const]
      return [{ kind: 'part', part: { kind } }, { kind: 'more', text }, ...signed, end]
    }
  }
}
