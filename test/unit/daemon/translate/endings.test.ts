import { expect, test } from 'vitest'
import { DIALECTS } from '../../../../daemon/translate/dialects.ts'

/** How an answer of each dialect is known to have ended; `fails`: it is none. */
const ENDINGS = {
  'openai-chat': {
    stop: 'end',
    length: 'length',
    model_length: 'length',
    tool_calls: 'end', // without any
    content_filter: 'refused',
    error: 'fails',
    abort: 'fails',
    insufficient_system_resource: 'fails',
  },
  'openai-responses': {
    completed: 'end',
    max_output_tokens: 'length',
    content_filter: 'refused',
    failed: 'fails',
    cancelled: 'fails',
  },
  anthropic: {
    end_turn: 'end',
    stop_sequence: 'stop-sequence',
    max_tokens: 'length',
    model_context_window_exceeded: 'length',
    tool_use: 'calls',
    refusal: 'refused',
    pause_turn: 'paused',
  },
  google: {
    STOP: 'end',
    MAX_TOKENS: 'length',
    SAFETY: 'refused',
    RECITATION: 'refused',
    LANGUAGE: 'refused',
    BLOCKLIST: 'refused',
    PROHIBITED_CONTENT: 'refused',
    SPII: 'refused',
    MODEL_ARMOR: 'refused',
    ESCALATION: 'refused',
    PUP_LIMITED_DISABLED: 'refused',
    IMAGE_SAFETY: 'refused',
    CONTINUATION: 'paused',
    OTHER: 'end',
    MALFORMED_FUNCTION_CALL: 'fails',
    MALFORMED_RESPONSE: 'fails',
    UNEXPECTED_TOOL_CALL: 'fails',
    TOO_MANY_TOOL_CALLS: 'fails',
    MISSING_THOUGHT_SIGNATURE: 'fails',
  },
  ollama: { stop: 'end', length: 'length' },
} as const
type Name = keyof typeof ENDINGS

/** A whole answer that ended for a reason. */
const ANSWERS: Readonly<Record<Name, (reason: string) => object>> = {
  'openai-chat': (reason) => ({ choices: [{ index: 0, message: { content: 'hi' }, finish_reason: reason }] }),
  'openai-responses': (reason) => {
    const output = [{ type: 'message', content: [{ type: 'output_text', text: 'hi' }] }]
    if (['completed', 'failed', 'cancelled'].includes(reason)) return { status: reason, output }
    return { status: 'incomplete', incomplete_details: { reason }, output }
  },
  anthropic: (reason) => ({ content: [{ type: 'text', text: 'hi' }], stop_reason: reason }),
  google: (reason) => ({ candidates: [{ content: { parts: [{ text: 'hi' }] }, finishReason: reason }] }),
  ollama: (reason) => ({ message: { content: 'hi' }, done: true, done_reason: reason }),
}

const cases = Object.entries(ENDINGS).flatMap(([name, endings]) =>
  Object.entries(endings).map(([reason, ending]) => ({ name: name as Name, reason, ending })),
)

test.each(cases)('an answer of $name that ended with $reason: $ending', ({ name, reason, ending }) => {
  const read = () => {
    const neutral = DIALECTS.all.find((dialect) => dialect.name === name)?.neutral
    return neutral?.readAnswer(Buffer.from(JSON.stringify(ANSWERS[name](reason))), 'r').finish
  }
  if (ending === 'fails') expect(read).toThrow()
  else expect(read()).toBe(ending)
})
