import type { DialectName } from './dialects.ts'

/** What coding agents send with every turn: instructions, tools and what was said, some 44 KB. */

const RULE =
  'Read files before you change them, say what you "really" did, and keep to the style of the project.\n- Prefer small changes over large ones.\n'
const INSTRUCTIONS = RULE.repeat(110)
const DESCRIPTION = RULE.repeat(9)
const SCHEMA = {
  type: 'object',
  properties: {
    file_path: { type: 'string', description: 'The absolute path of the file' },
    offset: { type: 'integer', description: 'The line to begin with', minimum: 0 },
    mode: { type: 'string', enum: ['text', 'binary'] },
  },
  required: ['file_path'],
  additionalProperties: false,
}
const TOOLS = Array.from({ length: 16 }, (_, index) => `Tool${index}`)
const ASKED = 'Why does the test of the parser fail?'
const THOUGHT = 'The test reads a file, so I should read it first. '.repeat(6)
const RESULT = 'expect(parse("[1,2")).toThrow(/line 1/)\n'.repeat(60)
const CALL = { id: 'toolu_bench_1', name: 'Tool3', arguments: { file_path: '/home/me/project/parser.test.ts' } }

const messages = {
  system: [
    { type: 'text', text: 'x-anthropic-billing-header: cc_version=2.1.0; cc_entrypoint=cli; cch=a1b2c;' },
    { type: 'text', text: INSTRUCTIONS, cache_control: { type: 'ephemeral' } },
  ],
  tools: TOOLS.map((name) => ({ name, description: DESCRIPTION, input_schema: SCHEMA })),
  thinking: { type: 'adaptive' },
  metadata: { user_id: 'user_bench' },
  messages: [
    { role: 'user', content: [{ type: 'text', text: ASKED }] },
    {
      role: 'assistant',
      content: [
        { type: 'thinking', thinking: THOUGHT, signature: 'c2lnbmF0dXJl'.repeat(20) },
        { type: 'tool_use', id: CALL.id, name: CALL.name, input: CALL.arguments },
      ],
    },
    { role: 'user', content: [{ type: 'tool_result', tool_use_id: CALL.id, content: RESULT }] },
  ],
}

const chat = {
  stream_options: { include_usage: true },
  reasoning_effort: 'medium',
  tools: TOOLS.map((name) => ({
    type: 'function',
    function: { name, description: DESCRIPTION, parameters: SCHEMA },
  })),
  messages: [
    { role: 'system', content: INSTRUCTIONS },
    { role: 'user', content: ASKED },
    {
      role: 'assistant',
      content: null,
      tool_calls: [
        { id: CALL.id, type: 'function', function: { name: CALL.name, arguments: JSON.stringify(CALL.arguments) } },
      ],
    },
    { role: 'tool', tool_call_id: CALL.id, content: RESULT },
  ],
}

const responses = {
  instructions: INSTRUCTIONS,
  reasoning: { effort: 'medium', summary: 'auto' },
  include: ['reasoning.encrypted_content'],
  prompt_cache_key: 'bench',
  tools: TOOLS.map((name) => ({
    type: 'function',
    name,
    description: DESCRIPTION,
    strict: false,
    parameters: SCHEMA,
  })),
  input: [
    { type: 'message', role: 'user', content: [{ type: 'input_text', text: ASKED }] },
    { type: 'reasoning', summary: [{ type: 'summary_text', text: THOUGHT }] },
    { type: 'function_call', call_id: CALL.id, name: CALL.name, arguments: JSON.stringify(CALL.arguments) },
    { type: 'function_call_output', call_id: CALL.id, output: RESULT },
  ],
}

const LIMITS = { chat: 'max_tokens', messages: 'max_tokens', responses: 'max_output_tokens' } as const
const BODIES = { chat, messages, responses }

/** A turn of an agent in one dialect, whose answer is a stream of so many tokens. */
export function agentRequest(dialect: DialectName, model: string, tokens: number): Readonly<Record<string, unknown>> {
  return { model, stream: true, [LIMITS[dialect]]: tokens, ...BODIES[dialect] }
}

/**
 * One more turn of a conversation with Claude Code: what was said before, and a line in front of the instructions that
 * is another one each time.
 * @param turn from 0 @param hasLine false: a client that sends no such line
 */
export function agentTurn(model: string, turn: number, hasLine: boolean, tokens: number): object {
  const line = {
    type: 'text',
    text: `x-anthropic-billing-header: cc_version=2.1.0; cc_entrypoint=cli; cch=${turn}f${turn};`,
  }
  const said = Array.from({ length: turn }, (_, index) => [
    { role: 'user', content: [{ type: 'text', text: `${ASKED} (${index})` }] },
    { role: 'assistant', content: [{ type: 'text', text: `It expects line ${index}.` }] },
  ])
  return {
    model,
    stream: true,
    max_tokens: tokens,
    system: [...(hasLine ? [line] : []), { type: 'text', text: RULE.repeat(25) }],
    tools: messages.tools.slice(0, 2),
    messages: [...said.flat(), { role: 'user', content: [{ type: 'text', text: `${ASKED} (${turn})` }] }],
  }
}
