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
  UNNEEDED,
  UNREAD,
  usual,
  words,
} from '../shape.ts'

/** What says how far an answer was, and how its provider calls it. */
const FACTS = { id: UNNEEDED, status: UNNEEDED }
const MARKED = { prompt_cache_breakpoint: record({ mode: someWords('explicit'), ttl: someWords('30m', '12h') }) }
const SAID = record({ text: must(TEXT), annotations: list(OBJECT), logprobs: UNNEEDED, ...MARKED })

const PART = choice('type', {
  input_text: SAID,
  output_text: SAID,
  text: SAID,
  summary_text: SAID,
  reasoning_text: SAID,
  refusal: record({ refusal: must(TEXT) }),
  input_image: record(
    { image_url: TEXT, file_id: TEXT, detail: TEXT, ...MARKED },
    { either: ['image_url', 'file_id'] },
  ),
  input_file: record(
    { file_data: TEXT, file_url: TEXT, file_id: TEXT, filename: TEXT, detail: usual('auto'), ...MARKED },
    { either: ['file_data', 'file_url', 'file_id'] },
  ),
})
const CONTENT: Shape = { ...TEXT, ...list(PART) }

const NAMES = { call_id: must(TEXT), name: must(FILLED), namespace: TEXT }
const THOUGHT = list(record({ type: UNNEEDED, text: must(TEXT) }))

const ITEM = choice(
  'type',
  {
    message: choice('role', {
      user: record({ type: UNNEEDED, content: CONTENT, ...FACTS }),
      assistant: record({ type: UNNEEDED, content: CONTENT, ...FACTS }),
      system: record({ type: UNNEEDED, content: CONTENT, ...FACTS }),
      developer: record({ type: UNNEEDED, content: CONTENT, ...FACTS }),
    }),
    function_call: record({ ...NAMES, arguments: TEXT, ...FACTS }),
    custom_tool_call: record({ ...NAMES, input: TEXT, ...FACTS }),
    function_call_output: record({ call_id: TEXT, output: CONTENT, ...FACTS }),
    custom_tool_call_output: record({ call_id: TEXT, output: CONTENT, ...FACTS }),
    reasoning: record({ id: TEXT, status: UNNEEDED, summary: THOUGHT, content: THOUGHT, encrypted_content: TEXT }),
    compaction: record({ encrypted_content: must(TEXT), ...FACTS }),
    item_reference: OBJECT, // refused by the reader
    // calls of tools that OpenAI runs or has described, and their outcome
    ...Object.fromEntries(
      [
        'additional_tools',
        'apply_patch_call',
        'apply_patch_call_output',
        'code_interpreter_call',
        'compaction_trigger',
        'computer_call',
        'computer_call_output',
        'configuration_update',
        'file_search_call',
        'image_generation_call',
        'local_shell_call',
        'local_shell_call_output',
        'mcp_approval_request',
        'mcp_approval_response',
        'mcp_call',
        'mcp_list_tools',
        'program',
        'program_output',
        'shell_call',
        'shell_call_output',
        'tool_search_call',
        'tool_search_output',
        'web_search_call',
      ].map((type) => [type, OBJECT]),
    ),
  },
  { usual: 'message' },
)

const OWN_TOOLS = {
  function: record({
    name: must(FILLED),
    description: TEXT,
    parameters: OBJECT,
    strict: BOOLEAN,
    defer_loading: usual(false),
    async: usual(false),
  }),
  custom: record({
    name: must(FILLED),
    description: TEXT,
    format: choice('type', { text: record({}), grammar: record({ syntax: must(TEXT), definition: must(TEXT) }) }),
    defer_loading: usual(false),
    async: usual(false),
  }),
}
const TOOL = choice(
  'type',
  {
    ...OWN_TOOLS,
    namespace: record({ name: must(FILLED), description: TEXT, tools: must(list(choice('type', OWN_TOOLS))) }),
  },
  { others: OBJECT },
)

const CHOSEN = record({ name: must(FILLED), namespace: TEXT })

const TOOL_CHOICE: Shape = {
  ...words('auto', 'none', 'required'),
  ...choice(
    'type',
    {
      function: CHOSEN,
      custom: CHOSEN,
      allowed_tools: record({
        mode: must(words('auto', 'required')),
        tools: must(list(choice('type', { function: CHOSEN, custom: CHOSEN }, { others: UNREAD }))),
      }),
    },
    { others: UNREAD }, // one that OpenAI would run
  ),
}

/** A request, as far as it is read for another dialect, or Gate sees to it itself. */
export const REQUEST = record({
  model: TEXT,
  input: { ...TEXT, ...list(ITEM) },
  instructions: TEXT,
  stream: BOOLEAN,
  stream_options: record({ include_obfuscation: usual(false) }),
  tools: list(TOOL),
  tool_choice: TOOL_CHOICE,
  parallel_tool_calls: BOOLEAN,
  max_output_tokens: NUMBER,
  temperature: NUMBER,
  top_p: NUMBER,
  text: record({
    verbosity: TEXT,
    format: choice('type', {
      text: record({}),
      json_object: record({}),
      json_schema: record({ name: TEXT, description: TEXT, schema: must(OBJECT), strict: BOOLEAN }),
    }),
  }),
  reasoning: record({ effort: someWords('none', ...EFFORTS), summary: TEXT }),
  include: list(someWords('reasoning.encrypted_content', 'message.output_text.logprobs')),
  top_logprobs: NUMBER,
  user: TEXT,
  safety_identifier: TEXT,
  store: BOOLEAN,
  background: BOOLEAN,
  previous_response_id: TEXT,
  metadata: OBJECT,
  prompt_cache_key: TEXT,
  truncation: usual('disabled'),
  service_tier: someWords('auto', 'default', ...SERVICES),
  conversation: gone('is not kept here; use previous_response_id'),
  prompt: gone('is not kept here; send instructions and input'),
})
