import type { NeutralMessage, NeutralRequest, PartStart, Usage, WrittenEvent } from './neutral.ts'

type Write = (event: WrittenEvent) => string

/** What an upstream is to go on with. `fields`: what its request needs besides, for the text not to end there. */
export type GoingOn = { readonly text: string; readonly fields: object; readonly spentTokens: number }

/** What was said is sent again, up to here. */
const MAX_CHARACTERS = 2 ** 20
const NONE: Usage = { inputTokens: 0, outputTokens: 0, cachedTokens: 0, reasoningTokens: 0 }

export type Line = ReturnType<typeof createLine>

/** What one client is told in a stream: by one upstream or, where that one breaks off, by others that go on with it. */
export function createLine() {
  let writer: Write | null = null
  let hasBegun = false
  let open: PartStart['kind'] | null = null
  let text = ''
  /** White space at the end of the text, which the next upstream is not sent and may say again. */
  let repeated = ''
  let isText = true
  let isOver = false
  let spent = NONE

  function unrepeated(more: string): string {
    let at = 0
    while (at < repeated.length && more[at] === repeated[at]) at += 1
    repeated = at === more.length ? repeated.slice(at) : ''
    return more.slice(at)
  }

  function say(write: Write, event: Extract<WrittenEvent, { readonly kind: 'more' }>): string {
    if (open !== 'text') return write(event)
    const fresh = unrepeated(event.text)
    if (text.length + fresh.length > MAX_CHARACTERS) isText = false
    text = isText ? text + fresh : '' // no other upstream goes on with it
    return fresh === '' && event.text !== '' ? '' : write({ ...event, text: fresh })
  }

  function close(write: Write): string {
    if (open === null) return ''
    open = null
    return write({ kind: 'part-end' })
  }

  return {
    /** What writes for the next upstream. @param make the writer of the client's dialect, which is made once */
    next(make: () => Write): Write {
      writer ??= make()
      const write = writer
      const goesOn = hasBegun
      let isHidden = false
      return (event) => {
        switch (event.kind) {
          case 'begin':
            if (goesOn) return ''
            hasBegun = true
            return write(event)
          case 'part': {
            const { kind } = event.part
            // a model that goes on with a text may think about it first: that would come in the middle of it
            isHidden = goesOn && (kind === 'reasoning' || kind === 'redacted')
            if (isHidden || (goesOn && kind === 'text' && open === 'text')) return ''
            if (kind !== 'text' && kind !== 'reasoning') isText = false
            const closed = close(write)
            open = kind
            return closed + write(event)
          }
          case 'more':
            return isHidden ? '' : say(write, event)
          case 'citation':
            return isHidden ? '' : write(event)
          case 'signature':
            if (isHidden) return ''
            if (event.signature !== '') isText = false
            return write(event)
          case 'part-end':
            if (isHidden) return ''
            open = null
            return write(event)
          case 'end':
            return close(write) + write({ ...event, usage: sum(spent, event.usage) })
          case 'error':
            return isOver ? write(event) : ''
        }
      }
    },
    /** What was said so far, where another upstream can go on with it; null: it cannot. */
    said(): string | null {
      const said = text.trimEnd()
      return isText && said !== '' ? said : null
    },
    /** An upstream broke off, which has used this. */
    broke(usage: Usage): void {
      spent = sum(spent, usage)
      repeated = text.slice(text.trimEnd().length)
    },
    spentTokens: (): number => spent.outputTokens,
    /** Nothing of what was written has reached the client. */
    reset(): void {
      writer = null
      hasBegun = false
      open = null
      text = ''
      isText = true
    },
    /** No other upstream goes on: from here the client is told of an error. */
    giveUp(): void {
      isOver = true
    },
  }
}

function sum(one: Usage, other: Usage): Usage {
  const written = (one.cacheWriteTokens ?? 0) + (other.cacheWriteTokens ?? 0)
  return {
    ...other,
    inputTokens: one.inputTokens + other.inputTokens,
    outputTokens: one.outputTokens + other.outputTokens,
    cachedTokens: one.cachedTokens + other.cachedTokens,
    reasoningTokens: one.reasoningTokens + other.reasoningTokens,
    ...(written > 0 && { cacheWriteTokens: written }),
  }
}

/** The request of a client with what it was told so far, and without thinking, which comes before a text. */
export function goingOnWith(request: NeutralRequest, { text, spentTokens }: GoingOn): NeutralRequest {
  const { maxOutputTokens } = request
  return {
    ...request,
    messages: withAnswer(request.messages, text),
    thinking: null,
    effort: null,
    maxOutputTokens: maxOutputTokens === null ? null : Math.max(1, maxOutputTokens - spentTokens),
  }
}

/** A client may have begun the answer itself. */
function withAnswer(messages: readonly NeutralMessage[], text: string): readonly NeutralMessage[] {
  const last = messages.at(-1)
  const part = last?.role === 'assistant' ? last.parts.at(-1) : undefined
  if (last === undefined || part?.kind !== 'text') {
    return [...messages, { role: 'assistant', parts: [{ kind: 'text', text }] }]
  }
  const begun = { kind: 'text', text: part.text + text } as const
  return [...messages.slice(0, -1), { ...last, parts: [...last.parts.slice(0, -1), begun] }]
}
