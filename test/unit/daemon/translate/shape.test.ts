import { expect, test } from 'vitest'
import { DIALECTS } from '../../../../daemon/translate/dialects.ts'
import { GateError } from '../../../../schemas/words/errors.ts'
import { CASES } from '../../../wire/cases.ts'

type Json = Readonly<Record<string, unknown>>

const CHAT = { model: 'm', messages: [{ role: 'user', content: 'hi' }] }
const RESPONSES = { model: 'm', input: 'hi' }
const MESSAGES = { model: 'm', max_tokens: 9, messages: [{ role: 'user', content: 'hi' }] }
const GOOGLE = { contents: [{ role: 'user', parts: [{ text: 'hi' }] }] }
const OLLAMA = { model: 'm', messages: [{ role: 'user', content: 'hi' }] }

const GOOD: Readonly<Record<string, Json>> = {
  'openai-chat': CHAT,
  'openai-responses': RESPONSES,
  anthropic: MESSAGES,
  google: GOOGLE,
  ollama: OLLAMA,
}

function read(name: string, request: object) {
  const dialect = DIALECTS.all.find((one) => one.name === name)
  const endpoint = dialect?.endpoints.find(({ does }) => does === 'generate')
  if (dialect?.neutral === undefined || endpoint === undefined) throw new Error(`no dialect ${name}`)
  const body = Buffer.from(JSON.stringify(request))
  return dialect.neutral.readRequest({ endpoint, param: 'm', url: endpoint.path, headers: {}, body })
}

/** What is wrong with a request; null: nothing. */
function refusalOf(name: string, more: object): GateError | null {
  try {
    read(name, { ...GOOD[name], ...more })
    return null
  } catch (error) {
    if (error instanceof GateError) return error
    throw error
  }
}

const user = (...content: unknown[]) => ({ messages: [{ role: 'user', content }] })
const parts = (...all: unknown[]) => ({ contents: [{ role: 'user', parts: all }] })

const WRONG: readonly { readonly name: string; readonly more: Json; readonly says: string }[] = [
  { name: 'openai-chat', more: { temperature: 'hot' }, says: 'temperature: must be a number' },
  { name: 'openai-chat', more: { stop: 5 }, says: 'stop: must be a string or an array' },
  { name: 'openai-chat', more: { stop: ['a', 5] }, says: 'stop[1]: must be a string' },
  { name: 'openai-chat', more: { response_format: 'json' }, says: 'response_format: must be an object' },
  {
    name: 'openai-chat',
    more: { response_format: { type: 'xml' } },
    says: 'response_format.type: must be text, json_object or json_schema',
  },
  {
    name: 'openai-chat',
    more: { response_format: { type: 'json_schema', json_schema: { schema: 'x' } } },
    says: 'response_format.json_schema.schema: must be an object',
  },
  {
    name: 'openai-chat',
    more: user({ type: 'text', text: 5 }),
    says: 'messages[0].content[0].text: must be a string',
  },
  { name: 'openai-chat', more: user({ type: 'text' }), says: 'messages[0].content[0].text: is required' },
  { name: 'openai-chat', more: user({ text: 'a' }), says: 'messages[0].content[0].type: is required' },
  {
    name: 'openai-chat',
    more: user({ type: 'hologram', text: 'a' }),
    says: 'messages[0].content[0].type: must be text, refusal, image_url, input_audio or file',
  },
  {
    name: 'openai-chat',
    more: user({ type: 'constructor' }),
    says: 'messages[0].content[0].type: must be text, refusal, image_url, input_audio or file',
  },
  { name: 'openai-chat', more: user('a'), says: 'messages[0].content[0]: must be an object' },
  { name: 'openai-chat', more: user(null), says: 'messages[0].content[0]: must be an object' },
  {
    name: 'openai-chat',
    more: user({ type: 'image_url', image_url: {} }),
    says: 'messages[0].content[0].image_url.url: is required',
  },
  {
    name: 'openai-chat',
    more: user({ type: 'image_url', image_url: { url: '' } }),
    says: 'messages[0].content[0].image_url.url: must not be empty',
  },
  {
    name: 'openai-chat',
    more: user({ type: 'file', file: { file_id: 'f', file_data: 'data:a/b;base64,AA==' } }),
    says: 'messages[0].content[0].file: has both file_data and file_id; send one of them',
  },
  { name: 'openai-chat', more: { messages: ['a'] }, says: 'messages[0]: must be an object' },
  {
    name: 'openai-chat',
    more: { messages: [...CHAT.messages, { role: 'owner', content: 'a' }] },
    says: 'messages[1].role: must be system, developer, user, tool or assistant',
  },
  { name: 'openai-chat', more: { messages: [{ content: 'a' }] }, says: 'messages[0].role: is required' },
  {
    name: 'openai-chat',
    more: { messages: [{ role: 'user', content: 5 }] },
    says: 'messages[0].content: must be a string or an array',
  },
  {
    name: 'openai-chat',
    more: { messages: [{ role: 'tool', content: 'a' }] },
    says: 'messages[0].tool_call_id: is required',
  },
  {
    name: 'openai-chat',
    more: { messages: [{ role: 'assistant', tool_calls: [{ id: 'c', function: { name: 'f', arguments: {} } }] }] },
    says: 'messages[0].tool_calls[0].function.arguments: must be a string',
  },
  {
    name: 'openai-chat',
    more: { messages: [{ role: 'assistant', function_call: { name: 'f', arguments: '{}' } }] },
    says: 'messages[0].function_call: was replaced by tool_calls; send those',
  },
  { name: 'openai-chat', more: { functions: [{ name: 'f' }] }, says: 'functions: was replaced by tools; send those' },
  { name: 'openai-chat', more: { tools: [{ type: 'function' }] }, says: 'tools[0].function: is required' },
  { name: 'openai-chat', more: { tools: [{ function: { name: 'f' } }] }, says: 'tools[0].type: is required' },
  { name: 'openai-chat', more: { tools: [{ type: 5 }] }, says: 'tools[0].type: must be a string' },
  {
    name: 'openai-chat',
    more: { tools: [{ type: 'function', function: { description: 'a' } }] },
    says: 'tools[0].function.name: is required',
  },
  {
    name: 'openai-chat',
    more: { tools: [{ type: 'function', function: { name: '' } }] },
    says: 'tools[0].function.name: must not be empty',
  },
  {
    name: 'openai-chat',
    more: { tool_choice: 'sometimes' },
    says: 'tool_choice: must be auto, none, required or an object',
  },
  { name: 'openai-chat', more: { tool_choice: 5 }, says: 'tool_choice: must be auto, none, required or an object' },
  { name: 'openai-chat', more: { modalities: ['smell'] }, says: 'modalities[0]: must be text, audio or image' },

  { name: 'openai-responses', more: { previous_response_id: 5 }, says: 'previous_response_id: must be a string' },
  { name: 'openai-responses', more: { background: 'yes' }, says: 'background: must be true or false' },
  { name: 'openai-responses', more: { instructions: 5 }, says: 'instructions: must be a string' },
  {
    name: 'openai-responses',
    more: { text: { format: { type: 'xml' } } },
    says: 'text.format.type: must be text, json_object or json_schema',
  },
  {
    name: 'openai-responses',
    more: { input: [{ type: 'dream' }] },
    says: 'input[0].type: must be message, function_call, ',
  },
  {
    name: 'openai-responses',
    more: { input: [{ role: 'tool', content: 'a' }] },
    says: 'input[0].role: must be user, assistant, system or developer',
  },
  {
    name: 'openai-responses',
    more: { input: [{ role: 'user', content: [{ type: 'input_text', text: 5 }] }] },
    says: 'input[0].content[0].text: must be a string',
  },
  {
    name: 'openai-responses',
    more: { input: [{ role: 'user', content: [{ type: 'video' }] }] },
    says: 'input[0].content[0].type: must be input_text',
  },
  {
    name: 'openai-responses',
    more: { input: [{ type: 'function_call', call_id: 'c', arguments: '{}' }] },
    says: 'input[0].name: is required',
  },
  {
    name: 'openai-responses',
    more: { input: [{ type: 'reasoning', summary: 'a' }] },
    says: 'input[0].summary: must be an array',
  },
  { name: 'openai-responses', more: { tools: [{ type: 'function' }] }, says: 'tools[0].name: is required' },
  {
    name: 'openai-responses',
    more: { tools: [{ type: 'namespace', name: 'n', tools: [{ type: 'web_search' }] }] },
    says: 'tools[0].tools[0].type: must be function or custom',
  },
  {
    name: 'openai-responses',
    more: { conversation: 'conv_1' },
    says: 'conversation: is not kept here; use previous_response_id',
  },

  { name: 'anthropic', more: { tools: { a: 1 } }, says: 'tools: must be an array' },
  { name: 'anthropic', more: { tools: [{ name: 'f' }] }, says: 'tools[0].input_schema: is required' },
  { name: 'anthropic', more: { tools: [{ input_schema: {} }] }, says: 'tools[0].name: is required' },
  { name: 'anthropic', more: { stop_sequences: 'a' }, says: 'stop_sequences: must be an array' },
  { name: 'anthropic', more: { tool_choice: { type: 'tool' } }, says: 'tool_choice.name: is required' },
  {
    name: 'anthropic',
    more: { tool_choice: { type: 'maybe' } },
    says: 'tool_choice.type: must be auto, any, none or tool',
  },
  {
    name: 'anthropic',
    more: { thinking: { type: 'enabled', budget_tokens: 'many' } },
    says: 'thinking.budget_tokens: must be a number',
  },
  {
    name: 'anthropic',
    more: { output_config: { effort: 9 } },
    says: 'output_config.effort: must be minimal, low, medium',
  },
  { name: 'anthropic', more: { system: [{ type: 'text', text: 5 }] }, says: 'system[0].text: must be a string' },
  {
    name: 'anthropic',
    more: user({ type: 'hologram' }),
    says: 'messages[0].content[0].type: must be text, image, document, ',
  },
  {
    name: 'anthropic',
    more: user({ type: 'image', source: { type: 'base64', media_type: 'image/png' } }),
    says: 'messages[0].content[0].source.data: is required',
  },
  {
    name: 'anthropic',
    more: user({ type: 'tool_result', tool_use_id: 'c', content: [{ type: 'text', text: 5 }] }),
    says: 'messages[0].content[0].content[0].text: must be a string',
  },
  {
    name: 'anthropic',
    more: user({ type: 'tool_use', id: 'c', name: 'f', input: '{}' }),
    says: 'messages[0].content[0].input: must be an object',
  },
  {
    name: 'anthropic',
    more: { messages: [{ role: 'tool', content: 'a' }] },
    says: 'messages[0].role: must be user, assistant or system',
  },

  { name: 'google', more: { systemInstruction: 5 }, says: 'systemInstruction: must be a string or an object' },
  { name: 'google', more: { tools: 'x' }, says: 'tools: must be an array or an object' },
  {
    name: 'google',
    more: { generationConfig: { temperature: 'hot' } },
    says: 'generationConfig.temperature: must be a number',
  },
  { name: 'google', more: { generation_config: { top_k: 'all' } }, says: 'generationConfig.topK: must be a number' },
  {
    name: 'google',
    more: { generationConfig: { topK: 1, top_k: 2 } },
    says: 'generationConfig: has the same field in two spellings',
  },
  { name: 'google', more: parts({ text: 5 }), says: 'contents[0].parts[0].text: must be a string' },
  { name: 'google', more: parts({ hologram: {} }), says: 'contents[0].parts[0]: must have text, inlineData, ' },
  {
    name: 'google',
    more: parts({ text: 'a', functionCall: { name: 'f' } }),
    says: 'contents[0].parts[0]: has both text and functionCall; send one of them',
  },
  {
    name: 'google',
    more: parts({ inlineData: { mimeType: 'image/png' } }),
    says: 'contents[0].parts[0].inlineData.data: is required',
  },
  {
    name: 'google',
    more: parts({ function_call: { args: {} } }),
    says: 'contents[0].parts[0].functionCall.name: is required',
  },
  {
    name: 'google',
    more: { contents: [{ role: 'system', parts: [] }] },
    says: 'contents[0].role: must be user, model or function',
  },
  {
    name: 'google',
    more: { tools: [{ functionDeclarations: [{ parameters: {} }] }] },
    says: 'tools[0].functionDeclarations[0].name: is required',
  },
  { name: 'google', more: { cachedContent: 'c' }, says: 'cachedContent: cannot be passed on' },

  { name: 'ollama', more: { options: 5 }, says: 'options: must be an object' },
  { name: 'ollama', more: { options: { stop: 5 } }, says: 'options.stop: must be a string or an array' },
  { name: 'ollama', more: { format: 'xml' }, says: 'format: must be json or an object' },
  {
    name: 'ollama',
    more: { think: 5 },
    says: 'think: must be minimal, low, medium, high, xhigh, max, true or false',
  },
  {
    name: 'ollama',
    more: { messages: [{ role: 'user', content: [] }] },
    says: 'messages[0].content: must be a string',
  },
  {
    name: 'ollama',
    more: { messages: [{ role: 'user', images: [5] }] },
    says: 'messages[0].images[0]: must be a string',
  },
  {
    name: 'ollama',
    more: { messages: [{ role: 'owner' }] },
    says: 'messages[0].role: must be system, user, assistant or tool',
  },
  {
    name: 'ollama',
    more: { messages: [{ role: 'assistant', tool_calls: [{ function: {} }] }] },
    says: 'messages[0].tool_calls[0].function.name: is required',
  },
  { name: 'ollama', more: { tools: [{ type: 'function' }] }, says: 'tools[0].function: is required' },
]

test.each(WRONG)('$name refuses it: $says', ({ name, more, says }) => {
  const refusal = refusalOf(name, more)
  expect(refusal).toMatchObject({ code: 'BAD_REQUEST', param: says.slice(0, says.indexOf(':')) })
  expect(refusal?.message.slice(0, says.length)).toBe(says)
})

test('all that is wrong is said at once, up to a bound', () => {
  const two = { ...user({ type: 'text', text: 5 }), tools: [{ type: 'function', function: {} }] }
  expect(refusalOf('openai-chat', two)?.message).toBe(
    'messages[0].content[0].text: must be a string; tools[0].function.name: is required',
  )
  const many = refusalOf('openai-chat', user(...Array.from({ length: 100_000 }, () => 5)))
  expect(many?.message.length).toBeLessThan(1_000)
  expect(many?.message).toContain('messages[0].content[7]: must be an object; there may be more')
})

const DROPPED: readonly { readonly name: string; readonly more: Json; readonly named: readonly string[] }[] = [
  {
    name: 'openai-chat',
    more: {
      messages: [
        { role: 'user', name: 'ann', content: 'a' },
        { role: 'user', name: 'bo', content: 'b' },
      ],
    },
    named: ['messages.name'],
  },
  {
    name: 'openai-chat',
    more: user({ type: 'image_url', image_url: { url: 'https://a/b', pace: 'low' } }),
    named: ['messages.content.image_url.pace'],
  },
  { name: 'ollama', more: { think: 'a lot' }, named: ['think'] },
  { name: 'ollama', more: { top_logprobs: 2 }, named: ['top_logprobs'] },
  { name: 'openai-chat', more: { logprobs: false, top_logprobs: 2 }, named: ['top_logprobs'] },
  { name: 'google', more: { generationConfig: { logprobs: 2 } }, named: ['generationConfig.logprobs'] },
  {
    name: 'openai-chat',
    more: { messages: [{ role: 'assistant', content: 'a', annotations: [], audio: null }] },
    named: [],
  },
  { name: 'openai-chat', more: { reasoning_effort: 'endless' }, named: ['reasoning_effort'] },
  {
    name: 'openai-chat',
    more: { tools: [{ type: 'function', function: { name: 'f', pace: 1 } }] },
    named: ['tools.function.pace'],
  },
  { name: 'openai-chat', more: JSON.parse('{"__proto__": {"a": 1}}'), named: ['__proto__'] },
  { name: 'openai-chat', more: { toString: 1 }, named: ['toString'] },
  {
    name: 'openai-responses',
    more: { truncation: 'auto', service_tier: 'auto', context_management: [] },
    named: ['truncation'],
  },
  {
    name: 'openai-responses',
    more: { include: ['reasoning.encrypted_content', 'file_search_call.results'] },
    named: ['include'],
  },
  { name: 'openai-responses', more: { tool_choice: { type: 'web_search' } }, named: ['tool_choice'] },
  {
    name: 'openai-responses',
    more: { text: { verbosity: 'low', tone: 'dry' }, reasoning: { effort: 'endless' } },
    named: ['text.tone', 'reasoning.effort'],
  },
  {
    name: 'openai-responses',
    more: { input: [{ id: 'msg_1', status: 'completed', phase: 'commentary', role: 'assistant', content: 'a' }] },
    named: ['input.phase'],
  },
  {
    name: 'anthropic',
    more: { thinking: { type: 'adaptive', display: 'omitted' }, output_config: { effort: 'endless' } },
    named: ['thinking.display', 'output_config.effort'],
  },
  {
    name: 'anthropic',
    more: { tools: [{ name: 'f', input_schema: {}, defer_loading: true, eager_input_streaming: true }] },
    named: ['tools.defer_loading'],
  },
  {
    name: 'google',
    more: { safety_settings: [{ category: 'a' }], generationConfig: { speechConfig: { a: 1 } } },
    named: ['safetySettings', 'generationConfig.speechConfig'],
  },
  {
    name: 'google',
    more: parts({ text: 'a', thoughtSignature: 'AA==', video_metadata: { fps: 1 } }),
    named: ['contents.parts.thoughtSignature', 'contents.parts.videoMetadata'],
  },
  {
    name: 'google',
    more: { generationConfig: { responseSchema: { type: 'STRING' } } },
    named: ['generationConfig.responseSchema'],
  },
  {
    name: 'ollama',
    more: { keep_alive: '5m', options: { num_ctx: 5 }, raw: false, suffix: '' },
    named: ['keep_alive', 'options.num_ctx'],
  },
  {
    name: 'ollama',
    more: { messages: [{ role: 'user', content: 'a', thinking: 'b' }] },
    named: ['messages.thinking'],
  },
]

test.each(DROPPED)('$name: what is not read is named: $named', ({ name, more, named }) => {
  expect(read(name, { ...GOOD[name], ...more }).ownFields).toEqual(named)
})

test("a schema of Google's stays as it is meant, and what is wrong in it stays for the upstream to say", () => {
  const parameters = {
    type: 'OBJECT',
    properties: { a: { type: ['string', 'null'] }, b: { type: 'STRING', nullable: 'no', minLength: 'some' }, c: 5 },
    propertyOrdering: ['b', 'a'],
    items: 5,
    anyOf: ['x'],
  }
  const { tools } = read('google', { ...GOOGLE, tools: [{ functionDeclarations: [{ name: 'f', parameters }] }] })
  expect(JSON.stringify(tools[0]?.schema)).toBe(
    JSON.stringify({
      type: 'object',
      properties: { b: { type: 'string', minLength: 'some', nullable: 'no' }, a: { type: ['string', 'null'] }, c: 5 },
      items: 5,
      anyOf: ['x'],
    }),
  )
})

test('how many names there are is bounded', () => {
  const more = Object.fromEntries(Array.from({ length: 900 }, (_, i) => [`own_${i}`, i]))
  expect(read('openai-chat', { ...CHAT, ...more }).ownFields).toHaveLength(64)
})

test.each(Object.keys(GOOD))('%s: null counts as left out', (name) => {
  for (const { more } of WRONG.filter((one) => one.name === name)) {
    for (const key of Object.keys(more).filter((one) => !(one in (GOOD[name] ?? {})))) {
      expect(refusalOf(name, { [key]: null })).toBe(null)
    }
  }
})

// properties: requests of the wire cases, changed at one place

type Place = readonly (string | number)[]

const shownAt = (place: Place): string => place.map((step) => (typeof step === 'number' ? '[]' : `.${step}`)).join('')

function* placesIn(value: unknown, at: Place = []): Generator<Place> {
  if (at.length > 0) yield at
  if (value === null || typeof value !== 'object') return
  for (const [key, inner] of Object.entries(value)) {
    yield* placesIn(inner, [...at, Array.isArray(value) ? Number(key) : key])
  }
}

/** @param change undefined: nothing is there any more */
function changedAt(value: unknown, [step, ...rest]: Place, change: (old: unknown) => unknown): unknown {
  if (step === undefined) return change(value)
  if (Array.isArray(value)) {
    return value.flatMap((one, index) => {
      const next = index === step ? changedAt(one, rest, change) : one
      return next === undefined ? [] : [next]
    })
  }
  return { ...(value as Json), [step]: changedAt((value as Json)[String(step)], rest, change) }
}

/** What a request means, or that it is refused. Anything else that is thrown is thrown. */
function meaningOf(name: string, request: unknown): string {
  try {
    const meant = read(name, request as object)
    return JSON.stringify({ ...meant, features: [...meant.features].sort() })
  } catch (error) {
    if (error instanceof GateError && error.code === 'BAD_REQUEST') return 'refused'
    throw error
  }
}

const isLimited = (request: Json): boolean => /"allowed\w+"/i.test(JSON.stringify(request))

/** One of each place of each dialect. */
const PLACES = Object.keys(GOOD).flatMap((name) => {
  const seen = new Set<string>()
  // a tool that may not be called is left out with all that is said of it
  const cases = CASES.filter(({ ingress, client_request: request }) => ingress === name && !isLimited(request))
  return cases.flatMap(({ client_request: request }) =>
    meaningOf(name, request) === 'refused'
      ? []
      : [...placesIn(request)].flatMap((place) => {
          const shown = shownAt(place)
          if (seen.has(shown)) return []
          seen.add(shown)
          return [{ name, request, place, shown }]
        }),
  )
})

const OTHERS = [5, 'zz', true, { zz: 1 }, ['zz'], [5], [[]], [{}]]
const typeOf = (value: unknown): string => (Array.isArray(value) ? 'array' : value === null ? 'null' : typeof value)

test('a value of another type is refused, named or passed on, wherever it is', () => {
  expect(PLACES.length).toBeGreaterThan(300)
  const lost: string[] = []
  for (const { name, request, place, shown } of PLACES) {
    const without = meaningOf(
      name,
      changedAt(request, place, () => undefined),
    )
    if (without === meaningOf(name, request)) continue // nothing reads it
    for (const other of OTHERS) {
      const changed = changedAt(request, place, (old) => (typeOf(old) === typeOf(other) ? undefined : other))
      const meant = meaningOf(name, changed)
      const isLost =
        meant !== 'refused' &&
        meant === without &&
        JSON.stringify(changed) !== JSON.stringify(changedAt(request, place, () => undefined))
      if (isLost) lost.push(`${name} ${shown}: ${JSON.stringify(other)}`)
    }
  }
  expect(lost).toEqual([])
})

/** Objects of which one thing is said in all, whatever is in them. */
const NOTED: Readonly<Record<string, readonly RegExp[]>> = {
  'openai-chat': [/^\.logit_bias$/],
  'openai-responses': [/^\.tools\[\]\.container$/, /^\.metadata$/, /annotations\[\]$/],
  anthropic: [/cache_control$/, /citations\[\]$/],
  google: [/^\.tools\[\]\.(?:codeExecution|googleSearch)$/],
  ollama: [],
}

/** Whether something is left out with a name of its own. */
function isNamed(name: string, request: object, place: Place): boolean {
  const path = place.filter((step) => typeof step === 'string').join('.')
  return read(name, request).ownFields.some((own) => path === own || path.startsWith(`${own}.`))
}

test('an unknown field is refused, named or passed on, wherever it is', () => {
  const lost: string[] = []
  for (const { name, request, place, shown } of PLACES) {
    if (NOTED[name]?.some((pattern) => pattern.test(shown)) === true || isNamed(name, request, place)) continue
    const changed = changedAt(request, place, (old) =>
      typeOf(old) === 'object' ? { ...(old as Json), zz: 'zz' } : old,
    )
    if (JSON.stringify(changed) === JSON.stringify(request)) continue
    if (meaningOf(name, changed) === meaningOf(name, request)) lost.push(`${name} ${shown}`)
  }
  expect(lost).toEqual([])
})
