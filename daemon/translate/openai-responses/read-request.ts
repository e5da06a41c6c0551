import { GateError } from '../../../schemas/words/errors.ts'
import type { Call } from '../call.ts'
import { checkTypes, type FieldTypes, unread } from '../field-types.ts'
import { booleanIn, isRecord, type JsonRecord, listIn, numberIn, recordIn, textIn } from '../json-value.ts'
import { EFFORTS, type Feature, type NeutralMessage, type NeutralRequest } from '../neutral.ts'
import { isCompaction, TASK_MESSAGE } from './compaction.ts'
import { type Notes, readInput } from './read-items.ts'
import { askedIn } from './response-object.ts'
import { readChoice, readTools } from './tools.ts'

/**
 * The fields that are read below or that Gate sees to itself, and those that only say how a provider may go about it;
 * null and what is not set to anything count as left out.
 */
const READ: FieldTypes = {
  model: ['text'],
  input: ['text', 'list'],
  instructions: ['text'],
  stream: ['boolean'],
  stream_options: ['object'],
  tools: ['list'],
  tool_choice: ['text', 'object'],
  parallel_tool_calls: ['boolean'],
  max_output_tokens: ['number'],
  temperature: ['number'],
  top_p: ['number'],
  text: ['object'],
  reasoning: ['object'],
  include: ['list'],
  top_logprobs: ['number'],
  user: ['text'],
  safety_identifier: ['text'],
  store: ['boolean'],
  background: ['boolean'],
  previous_response_id: ['text'],
  metadata: ['object'],
  prompt_cache_key: ['text'],
}

/** Those of `reasoning` that are read. */
const READ_OF_REASONING: FieldTypes = { effort: ['text'], summary: ['text'] }

/** What may be included that always is, or is read below. */
const INCLUDED = new Set<unknown>(['reasoning.encrypted_content', 'message.output_text.logprobs'])

/** Values that ask for what is done anyway. */
const USUAL: Readonly<Record<string, readonly unknown[]>> = {
  truncation: ['disabled'],
  service_tier: ['auto', 'default'],
  context_management: [],
}

/** Reads a request for another dialect. @throws GateError BAD_REQUEST */
export function readNeutralRequest({ endpoint, body }: Call): NeutralRequest {
  const request = askedIn(body)
  checkTypes(request, READ)
  refuseKept(request)
  const features = new Set<Feature>()
  const notes: Notes = { features, ownFields: [] }
  const { tools } = readTools(request['tools'], features)
  const { effort: said, summary } = recordIn(request['reasoning'])
  const effort = textIn(said)
  const messages = [...instructionsOf(request['instructions']), ...readInput(request['input'], notes)]
  if (isCompaction(endpoint)) messages.push(TASK_MESSAGE)
  return {
    stream: request['stream'] === true,
    messages,
    ...readChoice(request['tool_choice'], tools),
    parallelCalls: booleanIn(request['parallel_tool_calls']),
    maxOutputTokens: numberIn(request['max_output_tokens']),
    temperature: numberIn(request['temperature']),
    topP: numberIn(request['top_p']),
    topK: null,
    stop: [],
    seed: null,
    frequencyPenalty: null,
    presencePenalty: null,
    answerForm: answerFormOf(recordIn(recordIn(request['text'])['format'])),
    thinking: effort === null ? null : { isOn: effort !== 'none', budgetTokens: null },
    ...(effort === null && textIn(summary) !== null && { asksForThoughts: true }),
    effort: EFFORTS.find((one) => one === effort) ?? null,
    ...logprobsOf(request),
    endUser: textIn(request['safety_identifier']) ?? textIn(request['user']),
    showsUsage: true,
    features,
    ownFields: [...ownFieldsOf(request), ...notes.ownFields],
  }
}

/** Asked for by either field. */
function logprobsOf(request: JsonRecord): Pick<NeutralRequest, 'logprobs'> {
  const top = numberIn(request['top_logprobs']) ?? 0
  const isIncluded = listIn(request['include']).includes('message.output_text.logprobs')
  return isIncluded || top > 0 ? { logprobs: { top } } : {}
}

/** What names something that is kept with OpenAI. */
function refuseKept(request: JsonRecord): void {
  for (const field of ['conversation', 'prompt']) {
    if (request[field] === undefined || request[field] === null) continue
    const remedy = field === 'prompt' ? 'send "instructions" and "input"' : 'use "previous_response_id"'
    throw new GateError('BAD_REQUEST', `"${field}" is not kept here; ${remedy}`, { param: field })
  }
}

function ownFieldsOf(request: JsonRecord): readonly string[] {
  const asked = unread(request, READ).filter((name) => {
    const value = request[name]
    return !(USUAL[name]?.includes(value) ?? false) && !(Array.isArray(value) && value.length === 0)
  })
  const { verbosity } = recordIn(request['text'])
  const reasoning = recordIn(request['reasoning'])
  const { effort } = reasoning
  const isForeign = typeof effort === 'string' && effort !== 'none' && !EFFORTS.some((one) => one === effort)
  return [
    ...asked,
    ...(typeof verbosity === 'string' ? ['text.verbosity'] : []),
    ...unread(reasoning, READ_OF_REASONING).map((name) => `reasoning.${name}`),
    ...(isForeign ? ['reasoning'] : []), // a word that came after this was written
    ...(listIn(request['include']).every((one) => INCLUDED.has(one)) ? [] : ['include']),
  ]
}

function instructionsOf(instructions: unknown): readonly NeutralMessage[] {
  const text = textIn(instructions) ?? ''
  return text === '' ? [] : [{ role: 'system', parts: [{ kind: 'text', text }] }]
}

function answerFormOf(format: JsonRecord): NeutralRequest['answerForm'] {
  if (format['type'] === 'json_object') return { kind: 'json' }
  if (format['type'] !== 'json_schema') return null
  const { name, description, schema, strict } = format
  return {
    kind: 'schema',
    name: textIn(name),
    ...(typeof description === 'string' && { description }),
    schema: isRecord(schema) ? schema : {},
    isStrict: booleanIn(strict),
  }
}
