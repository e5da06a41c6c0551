import { GateError } from '../../schemas/words/errors.ts'
import { outlineOf } from '../../syntax/json/outline.ts'
import type { Dialect } from './dialect.ts'
import { remade } from './json-splice.ts'
import { type JsonRecord, recordIn } from './json-value.ts'

/** What an operator says of a field of requests, as the upstream names it. `json` is a value that is no scalar. */
export type Parameter = {
  readonly name: string
  readonly default?: string | number | boolean | undefined
  readonly json?: string | undefined
  readonly drop?: boolean | undefined
  /** The value takes the place of what the client has set. */
  readonly replaces?: boolean
}

/** What is changed in requests for one upstream, model and target. */
export type Tuning = {
  /** Of one name the last counts. */
  readonly parameters: readonly Parameter[]
  /** What comes before the client's instructions, in this order. */
  readonly systemPrefixes: readonly string[]
}

/** One tuning after the other; of an upstream that has none, the other alone. */
export function bothTunings(first: Tuning, second: Tuning | undefined): Tuning {
  if (second === undefined) return first
  return {
    parameters: [...first.parameters, ...second.parameters],
    systemPrefixes: [...first.systemPrefixes, ...second.systemPrefixes],
  }
}

/** Fields of requests for embeddings: of OpenAI, Ollama, Cohere, Voyage, Jina and engines. */
const OF_EMBEDDINGS: ReadonlySet<string> = new Set([
  'dimensions',
  'embedding_types',
  'encoding_format',
  'input_type',
  'keep_alive',
  'late_chunking',
  'normalized',
  'options',
  'output_dimension',
  'output_dtype',
  'task',
  'truncate',
  'truncation',
  'user',
])

/** A tuning for embeddings: a field of answers, which OpenAI refuses there, gets no default, and nothing is said. */
export const tuningOfEmbeddings = ({ parameters }: Tuning): Tuning => ({
  parameters: parameters.filter(
    ({ name, drop, replaces }) => drop === true || replaces === true || OF_EMBEDDINGS.has(name),
  ),
  systemPrefixes: [],
})

/**
 * The body of a request as the operator wants it. What the client has set stays, unless it is dropped.
 * @param dialect of the body @param generates false: tokens are counted, which takes no parameters: some are only dropped
 * @throws GateError BAD_REQUEST when there are no instructions in that dialect
 */
export function tuned(
  dialect: Dialect,
  body: Buffer,
  { parameters, systemPrefixes }: Tuning,
  generates: boolean,
): { readonly body: Buffer; readonly dropped: readonly string[] } {
  const prefixed = systemPrefixes.length === 0 ? body : withPrefix(dialect, body, systemPrefixes.join('\n\n'))
  const own = generates ? parameters : parameters.filter(({ drop }) => drop === true)
  if (own.length === 0) return { body: prefixed, dropped: [] }
  const outline = outlineOf(prefixed)
  const set = new Set(outline.kind === 'object' ? outline.members.map(({ key }) => key) : [])
  const byName = new Map(own.map((parameter) => [parameter.name, parameter]))
  const dropped = [...set].filter((name) => byName.get(name)?.drop === true)
  const isRemoved = (name: string) => dropped.includes(name) || byName.get(name)?.replaces === true
  const more: Record<string, unknown> = {}
  for (const [name, parameter] of byName) {
    if (parameter.drop === true || (set.has(name) && parameter.replaces !== true)) continue
    const value = parameter.json === undefined ? parameter.default : JSON.parse(parameter.json)
    if (value !== undefined) more[name] = value
  }
  if (dropped.length === 0 && Object.keys(more).length === 0) return { body: prefixed, dropped }
  return { body: remade(prefixed, outline, (key) => (isRemoved(key) ? null : key), more), dropped }
}

function withPrefix({ name, withInstructions }: Dialect, body: Buffer, text: string): Buffer {
  if (withInstructions === undefined) {
    throw new GateError('BAD_REQUEST', `the system_prefix of this model cannot be said in ${name}`)
  }
  const request: JsonRecord = recordIn(JSON.parse(body.toString('utf8')))
  return Buffer.from(JSON.stringify(withInstructions(request, text)))
}
