import { expect, test } from 'vitest'
import { DIALECTS } from '../../../../daemon/translate/dialects.ts'

const MESSAGES = [{ role: 'user', content: 'q' }]

/** A request with one tool whose arguments have a schema, in each dialect of a client. */
const REQUESTS: Readonly<Record<string, (schema: unknown) => object>> = {
  'openai-chat': (parameters) => ({
    messages: MESSAGES,
    tools: [{ type: 'function', function: { name: 'f', parameters } }],
  }),
  'openai-responses': (parameters) => ({ input: 'q', tools: [{ type: 'function', name: 'f', parameters }] }),
  anthropic: (input_schema) => ({ max_tokens: 9, messages: MESSAGES, tools: [{ name: 'f', input_schema }] }),
  google: (parametersJsonSchema) => ({
    contents: [{ parts: [{ text: 'q' }] }],
    tools: [{ functionDeclarations: [{ name: 'f', parametersJsonSchema }] }],
  }),
  ollama: (parameters) => ({ messages: MESSAGES, tools: [{ type: 'function', function: { name: 'f', parameters } }] }),
}

/** The schema as it goes out to upstreams of other dialects. */
function readIn(name: string, schema: unknown): unknown {
  const dialect = DIALECTS.all.find((one) => one.name === name && one.neutral !== undefined)
  const endpoint = dialect?.endpoints[0]
  if (dialect?.neutral === undefined || endpoint === undefined) throw new RangeError(name)
  const body = Buffer.from(JSON.stringify({ model: 'm', ...REQUESTS[name]?.(schema) }))
  const param = endpoint.path.includes('{') ? 'm' : ''
  return dialect.neutral.readRequest({ endpoint, param, url: endpoint.path, headers: {}, body }).tools[0]?.schema
}

const NOTHING = { type: 'object', properties: {} }
const CITY = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] }

test.each([
  ['nothing', {}, NOTHING],
  ['a type alone', { type: 'object' }, NOTHING],
  ['lists of nothing as null', { type: 'object', properties: null, required: null }, NOTHING],
  ['no other keys', { type: 'object', additionalProperties: false }, { ...NOTHING, additionalProperties: false }],
  ['properties without a type', { properties: CITY.properties }, { type: 'object', properties: CITY.properties }],
  ['a choice', { anyOf: [CITY] }, { ...NOTHING, anyOf: [CITY] }],
  ['all of it', CITY, CITY],
  ['another type, which the upstream refuses', { type: 'string' }, { type: 'string' }],
])('the schema of a tool that says %s is complete from every dialect', (_, schema, complete) => {
  for (const name of Object.keys(REQUESTS))
    expect({ name, schema: readIn(name, schema) }).toEqual({ name, schema: complete })
})
