import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { REQUEST as ANTHROPIC } from '../../daemon/translate/anthropic/shape.ts'
import { REQUEST as GOOGLE } from '../../daemon/translate/google/shape.ts'
import { REQUEST as OLLAMA } from '../../daemon/translate/ollama/shape.ts'
import { REQUEST as CHAT } from '../../daemon/translate/openai-chat/shape.ts'
import { REQUEST as RESPONSES } from '../../daemon/translate/openai-responses/shape.ts'
import { list, must, NUMBER, record, type Shape, TEXT, words } from '../../daemon/translate/shape.ts'

// What Gate takes of requests that it translates, beside what the official SDKs' types say: nothing that an SDK can
// send may be refused, and what the types do not have is listed here.

type Schema = Readonly<Record<string, unknown>>
type ObjectRule = NonNullable<Shape['object']>

/** `refused`: what the types allow and Gate does not take. `besides`: what Gate reads and the types do not have. */
type Found = {
  readonly refused: Set<string>
  readonly besides: Set<string>
  readonly known: Set<string>
}

/** A schema without references and unions: each way that a value may be. */
function waysOf(definitions: Schema, schema: unknown): readonly Schema[] {
  if (schema === null || typeof schema !== 'object') return []
  const one = schema as Schema
  if (typeof one['$ref'] === 'string') {
    return waysOf(definitions, definitions[decodeURIComponent(one['$ref'].slice('#/definitions/'.length))])
  }
  if (Array.isArray(one['anyOf'])) return one['anyOf'].flatMap((way) => waysOf(definitions, way))
  if (Array.isArray(one['type'])) return one['type'].map((type) => ({ ...one, type }))
  return [one]
}

const constantsOf = (way: Schema): readonly unknown[] | null =>
  Array.isArray(way['enum']) ? way['enum'] : 'const' in way ? [way['const']] : null

const typeOf = (value: unknown): string => (value === null ? 'null' : typeof value)

function compare(found: Found, definitions: Schema, at: string, shape: Shape, schemas: readonly unknown[]): void {
  found.known.add(at)
  const objects: Schema[] = []
  for (const way of schemas.flatMap((schema) => waysOf(definitions, schema))) {
    const constants = constantsOf(way)
    const types = constants === null ? [way['type']] : [...new Set(constants.map(typeOf))]
    for (const type of types) {
      if (type === 'string') {
        if (shape.text === undefined) found.refused.add(`${at}: a string`)
        else if (shape.text.kind === 'words' && shape.text.others === 'refuse') {
          const { words: all } = shape.text
          if (constants === null) found.refused.add(`${at}: any string`)
          for (const one of constants ?? []) {
            if (typeof one === 'string' && !all.includes(one)) found.refused.add(`${at}: "${one}"`)
          }
        }
      } else if (type === 'number') {
        if (shape.number !== true) found.refused.add(`${at}: a number`)
      } else if (type === 'boolean') {
        if (shape.boolean !== true) found.refused.add(`${at}: a boolean`)
      } else if (type === 'array') {
        if (shape.list === undefined) found.refused.add(`${at}: an array`)
        else compare(found, definitions, `${at}[]`, shape.list, [way['items']])
      } else if (type === 'object') objects.push(way)
    }
  }
  if (objects.length === 0) return
  if (shape.object === undefined) found.refused.add(`${at}: an object`)
  else compareObjects(found, definitions, at, shape.object, objects)
}

const fieldsOf = ({ properties }: Schema): Schema => (properties ?? {}) as Schema

function compareObjects(
  found: Found,
  definitions: Schema,
  at: string,
  rule: ObjectRule,
  ways: readonly Schema[],
): void {
  if (rule.kind === 'any' || rule.kind === 'unread') return
  // an object of which the types say nothing: the arguments of a call, or one that they leave open
  const told = ways.filter((way) => Object.keys(fieldsOf(way)).length > 0)
  if (told.length === 0) return
  if (rule.kind === 'choice') {
    const tags = new Map<string, Schema[]>()
    for (const way of told) {
      for (const tag of tagsOf(definitions, way, rule.by)) {
        const name = tag ?? rule.usual
        if (name === null) found.refused.add(`${at}: without ${rule.by}`)
        else tags.set(name, [...(tags.get(name) ?? []), way])
      }
    }
    const inner = (tag: string) => (rule.by === 'role' ? at : `${at}(${tag})`)
    for (const [tag, some] of tags) {
      found.known.add(inner(tag))
      const chosen = Object.hasOwn(rule.of, tag) ? rule.of[tag] : rule.others
      if (chosen == null) found.refused.add(`${at}: ${tag}`)
      else compareObjects(found, definitions, inner(tag), chosen, some)
    }
    for (const tag of Object.keys(rule.of)) if (!tags.has(tag)) found.besides.add(inner(tag))
    return
  }
  if (rule.kind === 'keyed') {
    for (const [key, inner] of Object.entries(rule.of)) {
      if (told.some((way) => key in fieldsOf(way))) compareObjects(found, definitions, `${at}(${key})`, inner, told)
      else found.besides.add(`${at}(${key})`)
    }
    return
  }
  for (const [name, field] of rule.fields) {
    const schemas = told.flatMap((way) => (name in fieldsOf(way) ? [fieldsOf(way)[name]] : []))
    const isRead = field.isLost === undefined && field.gone === undefined
    if (isRead && schemas.length === 0) found.besides.add(`${at}.${name}`)
    if (field.gone !== undefined && schemas.length > 0) found.refused.add(`${at}.${name}`)
    if (isRead && schemas.length > 0) compare(found, definitions, `${at}.${name}`, field, schemas)
    const isOptional = told.some(({ required }) => !(Array.isArray(required) && required.includes(name)))
    if (field.isRequired === true && isOptional && schemas.length > 0) found.refused.add(`${at}: without ${name}`)
  }
}

/** The words that say which object it is; null: none. */
function tagsOf(definitions: Schema, way: Schema, by: string): readonly (string | null)[] {
  const field = fieldsOf(way)[by]
  if (field === undefined) return [null]
  const tags = waysOf(definitions, field).flatMap((one) => constantsOf(one) ?? ['(any)'])
  return tags.map((tag) => (typeof tag === 'string' ? tag : null))
}

function found(sdk: string, root: string, names: readonly string[], shape: Shape): Found {
  const { definitions } = JSON.parse(readFileSync(join(import.meta.dirname, 'schemas', `${sdk}.json`), 'utf8'))
  const roots = names.map((name) => definitions[root].properties[name])
  const all: Found = { refused: new Set(), besides: new Set(), known: new Set() }
  compare(all, definitions, '', shape, roots)
  for (const known of all.known) all.besides.delete(known)
  return all
}

const outputs = [
  '(input_text).annotations',
  '(output_text)',
  '(reasoning_text)',
  '(refusal)',
  '(summary_text)',
  '(text)',
]

test.each([
  {
    sdk: 'openai',
    root: 'OpenAi',
    names: ['ChatCompletionCreateParams'],
    shape: CHAT,
    // what OpenAI itself has replaced
    refused: ['.functions', '.messages[].function_call', '.messages[]: function'],
    // what engines, OpenAI's answers and Google have
    besides: [
      '.messages[].annotations',
      '.messages[].content[](refusal).prompt_cache_breakpoint',
      '.messages[].reasoning',
      '.messages[].reasoning_content',
      '.messages[].reasoning_details',
      '.messages[].tool_calls[](custom).extra_content',
      '.messages[].tool_calls[](function).extra_content',
      '.top_k',
    ],
  },
  {
    sdk: 'openai',
    root: 'OpenAi',
    names: ['ResponseCreateParams'],
    shape: RESPONSES,
    // what OpenAI keeps
    refused: ['.conversation', '.input[](message): without role', '.prompt'],
    // one table of parts for all places
    besides: [
      ...['custom_tool_call_output', 'function_call_output'].flatMap((type) =>
        outputs.map((part) => `.input[](${type}).output[]${part}`),
      ),
      '.input[](message).content[](input_text).annotations',
      '.input[](message).content[](output_text).prompt_cache_breakpoint',
      '.input[](message).content[](reasoning_text)',
      '.input[](message).content[](summary_text)',
      '.input[](message).content[](text)',
      '.tool_choice(custom).namespace',
      '.tool_choice(function).namespace',
    ],
  },
  {
    sdk: 'anthropic',
    root: 'Anthropic',
    names: ['MessageCreateParams'],
    shape: ANTHROPIC,
    refused: [],
    // of the version before, and of beta versions
    besides: [
      '.messages[].content[](mcp_tool_result)',
      '.messages[].content[](mcp_tool_use)',
      '.temperature',
      '.thinking(adaptive).budget_tokens',
      '.thinking(between_tools).budget_tokens',
      '.thinking(disabled).budget_tokens',
      '.tool_choice(none).disable_parallel_tool_use',
      '.top_k',
      '.top_p',
    ],
  },
  {
    sdk: 'google',
    root: 'Google',
    names: ['GenerateContentRequest'],
    shape: GOOGLE,
    // the types have every field as optional; the API does not
    refused: [
      '.cachedContent',
      ...['.contents[]', '.systemInstruction'].flatMap((at) => [
        `${at}.parts[](executableCode).executableCode: without code`,
        `${at}.parts[](fileData).fileData: without fileUri`,
        `${at}.parts[](functionResponse).functionResponse.parts[](fileData).fileData: without fileUri`,
        `${at}.parts[](functionResponse).functionResponse.parts[](inlineData).inlineData: without data`,
        `${at}.parts[](inlineData).inlineData: without data`,
      ]),
      '.generationConfig.responseModalities[]: "MODALITY_UNSPECIFIED"',
      '.generationConfig.responseModalities[]: "VIDEO"',
    ],
    // some clients write a text in place of the parts
    besides: ['.contents[].text', '.systemInstruction.text'],
  },
  {
    sdk: 'ollama',
    root: 'Ollama',
    names: ['ChatRequest', 'GenerateRequest'],
    shape: OLLAMA,
    // the API takes `json` alone, and no tool without a name
    refused: ['.format: any string', '.tools[].function: without name'],
    // Gate's own, of what was thought before a call
    besides: ['.messages[].name', '.messages[].tool_calls[].thought_signature'],
  },
])('what is taken of $names is what the types of the SDK have', ({ sdk, root, names, shape, refused, besides }) => {
  const all = found(sdk, root, names, shape)
  expect({ refused: [...all.refused].sort(), besides: [...all.besides].sort() }).toEqual({
    refused: refused.toSorted(),
    besides: besides.toSorted(),
  })
  expect(all.known.size).toBeGreaterThan(25)
})

test.each([
  { shape: record({ model: NUMBER }), says: '.model: a string' },
  { shape: record({ stop: TEXT }), says: '.stop: an array' },
  {
    shape: record({ tool_choice: { ...words('auto', 'none'), object: { kind: 'any' } } }),
    says: '.tool_choice: "required"',
  },
  { shape: record({ user: must(TEXT) }), says: ': without user' },
  { shape: record({ messages: list(record({ name: must(TEXT) })) }), says: '.messages[]: without name' },
] satisfies { shape: Shape; says: string }[])('a shape that refuses $says is noticed', ({ shape, says }) => {
  expect([...found('openai', 'OpenAi', ['ChatCompletionCreateParams'], shape).refused]).toContain(says)
})
