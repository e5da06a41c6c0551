import { gguf, matrix, ones } from './gguf.ts'

/**
 * What the model says, and the keyword anywhere in the prompt that makes it say that. No token may appear in two
 * answers: each token has one successor. A token `↺x` goes back to x.
 */
const ANSWERS: readonly Answer[] = [
  { weight: 0, tokens: ['Gate', ' speaks', ' to', ' a', ' real', ' engine', '.'] },
  {
    keyword: '#tool',
    weight: 1,
    tokens: [
      '<tool_call>',
      '\n{"name": "get_weather"',
      ', "arguments": ',
      '{"city": ',
      '"Paris"',
      '}}',
      '\n</tool_call>',
    ],
  },
  {
    keyword: '#think',
    weight: 1,
    tokens: [
      '<think>\n',
      'The',
      ' user',
      ' wants',
      ' riddles',
      '\n</think>\n\n',
      'What',
      ' has',
      ' keys',
      ' but',
      ' no',
      ' locks',
      '?',
    ],
  },
  // a tool of Claude Code
  {
    keyword: '#bash',
    weight: 1,
    tokens: [
      '\n<tool_call>',
      '\n{"name": "Bash"',
      ', "arguments":',
      ' {"command": ',
      '"echo gate > seen.txt"',
      '} }',
      '\n</tool_call>\n',
    ],
  },
  // a tool of Codex
  {
    keyword: '#exec',
    weight: 1,
    tokens: [
      ' <tool_call>',
      '\n{"name": "exec_command"',
      ', "arguments" : ',
      '{"cmd": ',
      '"echo gate  > seen.txt"',
      '}  }',
      ' \n</tool_call>',
    ],
  },
  // a tool of Gemini CLI
  {
    keyword: '#gemini-shell',
    weight: 1,
    tokens: [
      '\n\n<tool_call>',
      '\n{"name": "run_shell_command"',
      ',\n"arguments": ',
      '{"command":\n',
      '"echo gate >seen.txt"',
      '}\n}',
      '\n</tool_call>\n\n',
    ],
  },
  // a tool of OpenCode
  {
    keyword: '#opencode-bash',
    weight: 1,
    tokens: [
      '  <tool_call>',
      '\n{"name": "bash"',
      ',\n "arguments": ',
      '{"command":\n ',
      '"echo gate>seen.txt"',
      ', "description":',
      ' "Write a file"',
      '}\n }',
      ' \n</tool_call>\n',
    ],
  },
  // a file, as aider has it
  { keyword: '#aider', weight: 1, tokens: ['seen.txt', '\n```\n', 'gate', '\n```'] },
  // until max_tokens, or until the client leaves
  {
    keyword: '#count',
    weight: 1,
    tokens: ['one', ' two', ' three', ' four', ' five', ' six', ' seven', ' eight', ' nine', ' ten', '↺ two'],
  },
  // after the result of a tool, whatever else the prompt holds
  { keyword: 'tool\n', weight: 50, tokens: ['It', ' is', ' sunny', ' there', '!'] },
]

type Answer = { readonly keyword?: string; readonly weight: number; readonly tokens: readonly string[] }

/** ChatML with tools, as Qwen and Hermes have it. */
const TEMPLATE = `{%- if tools %}<|im_start|>system
# Tools
<tools>
{%- for tool in tools %}
{{ tool | tojson }}
{%- endfor %}
</tools>
For each function call return a json object within <tool_call></tool_call> tags:
<tool_call>
{"name": <function-name>, "arguments": <args-json-object>}
</tool_call><|im_end|>
{% endif %}{%- for message in messages %}<|im_start|>{{ message.role }}
{% if message.reasoning_content %}<think>
{{ message.reasoning_content }}
</think>

{% endif %}{{ message.content or '' }}{% for call in message.tool_calls or [] %}
<tool_call>
{"name": "{{ call.function.name }}", "arguments": {{ call.function.arguments | tojson }}}
</tool_call>{% endfor %}<|im_end|>
{% endfor %}{%- if add_generation_prompt %}<|im_start|>assistant
{% endif %}`

/** Tokens that shorten ordinary prompts: agents send tens of thousands of characters. */
const COMMON = [
  ...[' the', ' that', ' this', ' with', ' your', ' you', ' and', ' for', ' are', ' not', ' when', ' from', ' use'],
  ...[' will', ' can', ' have', ' should', ' before', ' file', ' command', ' agent', ' message', ' only', ' must'],
  ...[' about', ' which', ' other', ' result', 'tion', 'ment', 'ther', 'ness', 'able', 'ions', 'ight', 'ough', 'ould'],
  ...['ence', 'ing ', 'ed ', 'es ', ', ', '. ', ': ', '- ', '": "', '", "', '":{"', '":["', '"},"', '"type":'],
  ...['"description":', '"string"', '"object"', '"properties":', '"required":', '   ', '  ', '\n\n', '\n- ', '`'],
]

const TOKEN = { normal: 1, unknown: 2, control: 3, userDefined: 4, byte: 6 } as const
const HEAD_SIZE = 16
const FEED_FORWARD = 32

/**
 * The bytes of a model of about 1 MB for a real llama.cpp. Its weights are constructed: it says what it was built to
 * say, deterministically, chosen by a keyword in the prompt. One layer: only tokens that matter have an embedding (one
 * of its own dimensions each), the output matrix is the table of their successors, and one attention head without keys,
 * which looks at everything alike, counts the keywords.
 */
export function tinyModel(): Buffer {
  const { add, tokens, types } = vocabulary()
  add('<unk>', TOKEN.unknown)
  const begin = add('<s>', TOKEN.control)
  const end = add('<|im_end|>', TOKEN.control)
  add('<|im_start|>', TOKEN.control)
  for (let byte = 0; byte < 256; byte++) add(`<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`, TOKEN.byte)
  const prompt = add('assistant\n', TOKEN.userDefined)

  const speaking = new Set([prompt, end])
  const successor = new Map<number, number>()
  const starts = ANSWERS.map(({ keyword, weight, tokens: said }) => {
    const ids = said.map((token) => add(token.replace('↺', ''), TOKEN.userDefined))
    ids.forEach((id, at) => {
      speaking.add(id)
      const isJump = said[at]?.startsWith('↺') === true
      if (!isJump) successor.set(id, ids[at + 1] ?? end)
    })
    const keywordId = keyword === undefined ? undefined : add(keyword, TOKEN.userDefined)
    return { keywordId, first: ids[0] ?? end, weight }
  })
  for (const token of COMMON) add(token, TOKEN.userDefined)
  const letters = [...'abcdefghijklmnopqrstuvwxyz▁']
  for (const letter of letters) add(letter, TOKEN.normal)
  for (const one of letters) for (const other of letters) add(one + other, TOKEN.normal)

  const [usual, ...chosen] = starts
  if (usual === undefined) throw new Error('a model needs an answer')
  const width = Math.ceil((speaking.size + 2 * chosen.length) / 64) * 64
  const dimension = new Map([...speaking].map((id, at) => [id, at]))
  const dimensionOf = (id: number) => dimension.get(id) ?? 0
  /** What keyword `at` sets in the prompt, and what attention makes of it for the last token. */
  const seen = (at: number) => speaking.size + at
  const counted = (at: number) => width - 1 - at

  const tensors = {
    'token_embd.weight': matrix(width, tokens.length, [
      ...[...dimension].map(([id, at]) => [id, at, 1] as const),
      ...chosen.map(({ keywordId = 0 }, at) => [keywordId, seen(at), 1] as const),
    ]),
    'output_norm.weight': ones(width),
    'output.weight': matrix(width, tokens.length, [
      ...[...successor].map(([from, to]) => [to, dimensionOf(from), 1e9] as const),
      [usual.first, dimensionOf(prompt), 100] as const,
      ...chosen.map(({ first, weight }, at) => [first, counted(at), 1e7 * weight] as const),
    ]),
    'blk.0.attn_norm.weight': ones(width),
    'blk.0.attn_q.weight': matrix(width, HEAD_SIZE),
    'blk.0.attn_k.weight': matrix(width, HEAD_SIZE),
    'blk.0.attn_v.weight': matrix(
      width,
      HEAD_SIZE,
      chosen.map((_, at) => [at, seen(at), 1] as const),
    ),
    'blk.0.attn_output.weight': matrix(
      HEAD_SIZE,
      width,
      chosen.map((_, at) => [counted(at), at, 1] as const),
    ),
    'blk.0.ffn_norm.weight': ones(width),
    'blk.0.ffn_gate.weight': matrix(width, FEED_FORWARD),
    'blk.0.ffn_up.weight': matrix(width, FEED_FORWARD),
    'blk.0.ffn_down.weight': matrix(FEED_FORWARD, width),
  }
  return gguf({ ...architecture(width, tokens.length), ...tokenizer(tokens, types, { begin, end }) }, tensors)
}

function vocabulary() {
  const tokens: string[] = []
  const types: number[] = []
  const ids = new Map<string, number>()
  function add(token: string, type: number): number {
    const known = ids.get(token)
    if (known !== undefined) return known
    const id = tokens.length
    ids.set(token, id)
    tokens.push(token)
    types.push(type)
    return id
  }
  return { add, tokens, types }
}

function architecture(width: number, vocabularySize: number) {
  return {
    'general.architecture': 'llama',
    'general.name': 'tiny',
    'llama.block_count': 1,
    'llama.context_length': 2 ** 20,
    'llama.embedding_length': width,
    'llama.feed_forward_length': FEED_FORWARD,
    'llama.attention.head_count': 1,
    'llama.attention.head_count_kv': 1,
    'llama.vocab_size': vocabularySize,
    'llama.attention.key_length': HEAD_SIZE,
    'llama.attention.value_length': HEAD_SIZE,
    'llama.rope.dimension_count': HEAD_SIZE,
    'llama.attention.layer_norm_rms_epsilon': { float: 1e-6 },
  }
}

function tokenizer(
  tokens: readonly string[],
  types: readonly number[],
  { begin, end }: { readonly begin: number; readonly end: number },
) {
  return {
    'tokenizer.ggml.model': 'llama',
    'tokenizer.ggml.add_bos_token': false,
    'tokenizer.ggml.add_space_prefix': false,
    'tokenizer.ggml.bos_token_id': begin,
    'tokenizer.ggml.eos_token_id': end,
    'tokenizer.ggml.unknown_token_id': 0,
    'tokenizer.chat_template': TEMPLATE,
    'tokenizer.ggml.tokens': tokens,
    'tokenizer.ggml.scores': { floats: tokens.map(() => 0) },
    'tokenizer.ggml.token_type': types,
  }
}
