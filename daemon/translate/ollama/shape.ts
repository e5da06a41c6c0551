import { EFFORTS } from '../neutral.ts'
import {
  BOOLEAN,
  choice,
  FILLED,
  list,
  must,
  NUMBER,
  OBJECT,
  record,
  type Shape,
  someWords,
  TEXT,
  TEXTS,
  UNNEEDED,
  usual,
  words,
} from '../shape.ts'

const SHOWN = { content: TEXT, images: TEXTS }
const ARGUMENTS: Shape = { ...TEXT, ...OBJECT }

const MESSAGE = choice('role', {
  system: record(SHOWN),
  user: record(SHOWN),
  assistant: record({
    ...SHOWN,
    thinking: TEXT,
    tool_calls: list(
      record({
        id: TEXT,
        type: UNNEEDED,
        thought_signature: TEXT,
        function: must(record({ name: must(FILLED), arguments: ARGUMENTS, index: UNNEEDED })),
      }),
    ),
  }),
  tool: record({ ...SHOWN, tool_name: TEXT, name: TEXT, tool_call_id: TEXT }),
})

/** A request, as far as it is read for another dialect: a conversation, or one prompt. */
export const REQUEST = record({
  model: TEXT,
  messages: list(MESSAGE),
  prompt: TEXT,
  suffix: usual(''), // refused by the reader
  raw: usual(false), // the same
  system: TEXT,
  images: TEXTS,
  stream: BOOLEAN,
  tools: list(
    record({
      type: UNNEEDED,
      function: must(record({ type: UNNEEDED, name: must(FILLED), description: TEXT, parameters: OBJECT })),
    }),
  ),
  format: { ...words('json', ''), ...OBJECT },
  options: record({
    frequency_penalty: NUMBER,
    num_predict: NUMBER,
    presence_penalty: NUMBER,
    seed: NUMBER,
    stop: { ...TEXT, ...TEXTS },
    temperature: NUMBER,
    top_k: NUMBER,
    top_p: NUMBER,
  }),
  think: { ...BOOLEAN, ...someWords(...EFFORTS) },
  logprobs: BOOLEAN,
  top_logprobs: NUMBER,
})
