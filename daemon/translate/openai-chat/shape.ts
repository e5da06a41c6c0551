import { EFFORTS, SERVICES } from '../neutral.ts'
import {
  BOOLEAN,
  choice,
  FILLED,
  gone,
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
  UNREAD,
  usual,
  words,
} from '../shape.ts'

const MARKED = { prompt_cache_breakpoint: record({ mode: someWords('explicit'), ttl: someWords('30m', '12h') }) }

const PART = choice('type', {
  text: record({ text: must(TEXT), ...MARKED }),
  refusal: record({ refusal: must(TEXT), ...MARKED }),
  image_url: record({ image_url: must(record({ url: must(FILLED), detail: TEXT })), ...MARKED }),
  input_audio: record({ input_audio: must(record({ data: must(TEXT), format: must(TEXT) })), ...MARKED }),
  file: record({
    file: must(record({ file_data: TEXT, file_id: TEXT, filename: TEXT }, { either: ['file_data', 'file_id'] })),
    ...MARKED,
  }),
})
const CONTENT: Shape = { ...TEXT, ...list(PART) }

const SIGNED = { extra_content: record({ google: record({ thought_signature: TEXT }) }) }

const CALL = choice(
  'type',
  {
    function: record({
      id: must(TEXT),
      index: UNNEEDED,
      function: must(record({ name: must(FILLED), arguments: TEXT })),
      ...SIGNED,
    }),
    custom: record({
      id: must(TEXT),
      index: UNNEEDED,
      custom: must(record({ name: must(FILLED), input: TEXT })),
      ...SIGNED,
    }),
  },
  { usual: 'function' },
)

const MESSAGE = choice('role', {
  system: record({ content: CONTENT }),
  developer: record({ content: CONTENT }),
  user: record({ content: CONTENT }),
  tool: record({ content: CONTENT, tool_call_id: must(TEXT), name: UNNEEDED }),
  assistant: record({
    content: CONTENT,
    refusal: TEXT,
    tool_calls: list(CALL),
    reasoning_content: TEXT,
    reasoning: TEXT,
    reasoning_details: list(OBJECT),
    audio: OBJECT,
    annotations: list(OBJECT),
    function_call: gone('was replaced by tool_calls; send those'),
  }),
})

const NAMED = record({ name: must(FILLED) })
const ONE_TOOL = { function: record({ function: must(NAMED) }), custom: record({ custom: must(NAMED) }) }

const FORMAT = choice('type', {
  text: record({}),
  grammar: record({ grammar: must(record({ syntax: must(TEXT), definition: must(TEXT) })) }),
})

const TOOL = choice(
  'type',
  {
    function: record({
      function: must(record({ name: must(FILLED), description: TEXT, parameters: OBJECT, strict: BOOLEAN })),
    }),
    custom: record({ custom: must(record({ name: must(FILLED), description: TEXT, format: FORMAT })) }),
  },
  { others: OBJECT },
)

const TOOL_CHOICE: Shape = {
  ...words('auto', 'none', 'required'),
  ...choice(
    'type',
    {
      ...ONE_TOOL,
      allowed_tools: record({
        allowed_tools: must(
          record({
            mode: must(words('auto', 'required')),
            tools: must(list(choice('type', ONE_TOOL, { usual: 'function' }))),
          }),
        ),
      }),
    },
    { usual: 'function' },
  ),
}

/** A request, as far as it is read for another dialect. */
export const REQUEST = record({
  model: TEXT,
  messages: list(MESSAGE),
  stream: BOOLEAN,
  stream_options: record({ include_usage: BOOLEAN, include_obfuscation: usual(false) }),
  tools: list(TOOL),
  tool_choice: TOOL_CHOICE,
  parallel_tool_calls: BOOLEAN,
  max_tokens: NUMBER,
  max_completion_tokens: NUMBER,
  temperature: NUMBER,
  top_p: NUMBER,
  top_k: NUMBER,
  stop: { ...TEXT, ...TEXTS },
  response_format: choice('type', {
    text: record({}),
    json_object: record({}),
    json_schema: record({
      json_schema: must(record({ name: TEXT, description: TEXT, schema: OBJECT, strict: BOOLEAN })),
    }),
  }),
  reasoning_effort: someWords('none', ...EFFORTS),
  user: TEXT,
  safety_identifier: TEXT,
  n: NUMBER,
  logprobs: BOOLEAN,
  top_logprobs: NUMBER,
  modalities: list(words('text', 'audio', 'image')),
  seed: NUMBER,
  frequency_penalty: NUMBER,
  presence_penalty: NUMBER,
  logit_bias: OBJECT,
  verbosity: TEXT,
  prompt_cache_key: TEXT,
  metadata: OBJECT,
  service_tier: someWords('auto', 'default', ...SERVICES),
  web_search_options: UNREAD, // also an empty one asks for a search
  functions: gone('was replaced by tools; send those'),
})
