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
} from '../shape.ts'

const CACHED = { cache_control: OBJECT }

const SOURCES = {
  base64: record({ media_type: TEXT, data: must(TEXT) }),
  url: record({ url: must(FILLED) }),
  file: record({ file_id: must(FILLED) }),
}
const TEXT_BLOCK = record({ text: must(TEXT), citations: list(OBJECT), ...CACHED })
const IMAGE_BLOCK = record({ source: must(choice('type', SOURCES)), ...CACHED })

/** What a user or a tool shows. */
const SHOWN = {
  text: TEXT_BLOCK,
  image: IMAGE_BLOCK,
  document: record({
    source: must(
      choice('type', {
        ...SOURCES,
        text: record({ media_type: UNNEEDED, data: must(TEXT) }),
        content: record({
          content: must({ ...TEXT, ...list(choice('type', { text: TEXT_BLOCK, image: IMAGE_BLOCK })) }),
        }),
      }),
    ),
    title: TEXT,
    context: TEXT,
    citations: record({ enabled: BOOLEAN }),
    ...CACHED,
  }),
  search_result: record({
    title: must(TEXT),
    source: must(TEXT),
    content: must(list(record({ type: UNNEEDED, text: must(TEXT), ...CACHED }))),
    citations: record({ enabled: BOOLEAN }),
    ...CACHED,
  }),
}

const BLOCK = choice('type', {
  ...SHOWN,
  thinking: record({ thinking: must(TEXT), signature: TEXT }),
  redacted_thinking: record({ data: must(TEXT) }),
  tool_use: record({
    id: must(TEXT),
    name: must(FILLED),
    input: OBJECT,
    caller: record({ type: someWords('direct') }),
    ...CACHED,
  }),
  tool_result: record({
    tool_use_id: must(TEXT),
    content: { ...TEXT, ...list(choice('type', { ...SHOWN, tool_reference: OBJECT, browser_state: OBJECT })) },
    is_error: BOOLEAN,
    ...CACHED,
  }),
  // calls of tools that Anthropic runs, and their outcome
  server_tool_use: OBJECT,
  web_search_tool_result: OBJECT,
  web_fetch_tool_result: OBJECT,
  code_execution_tool_result: OBJECT,
  bash_code_execution_tool_result: OBJECT,
  text_editor_code_execution_tool_result: OBJECT,
  tool_search_tool_result: OBJECT,
  mcp_tool_use: OBJECT,
  mcp_tool_result: OBJECT,
  container_upload: OBJECT,
})

const CONTENT: Shape = { ...TEXT, ...list(BLOCK) }
const MESSAGE = record({ content: CONTENT })

const CHOICE = { disable_parallel_tool_use: BOOLEAN }

/** A request, as far as it is read for another dialect. */
export const REQUEST = record({
  model: TEXT,
  messages: list(choice('role', { user: MESSAGE, assistant: MESSAGE, system: MESSAGE })),
  system: { ...TEXT, ...list(choice('type', { text: TEXT_BLOCK })) },
  stream: BOOLEAN,
  tools: list(
    choice(
      'type',
      {
        custom: record({
          name: must(FILLED),
          description: TEXT,
          input_schema: must(OBJECT),
          strict: BOOLEAN,
          defer_loading: usual(false),
          eager_input_streaming: UNNEEDED,
          ...CACHED,
        }),
      },
      { usual: 'custom', others: OBJECT },
    ),
  ),
  tool_choice: choice('type', {
    auto: record(CHOICE),
    any: record(CHOICE),
    none: record(CHOICE),
    tool: record({ name: must(FILLED), ...CHOICE }),
  }),
  max_tokens: NUMBER,
  temperature: NUMBER,
  top_p: NUMBER,
  top_k: NUMBER,
  stop_sequences: TEXTS,
  output_config: record({
    effort: someWords(...EFFORTS),
    format: choice('type', { json_schema: record({ schema: must(OBJECT) }) }),
  }),
  thinking: choice('type', {
    enabled: record({ budget_tokens: NUMBER, display: usual('summarized') }),
    adaptive: record({ budget_tokens: NUMBER, display: usual('summarized') }),
    between_tools: record({ budget_tokens: NUMBER, display: usual('summarized') }),
    disabled: record({ budget_tokens: NUMBER, display: UNNEEDED }),
  }),
  metadata: record({ user_id: TEXT }),
  cache_control: OBJECT,
})
