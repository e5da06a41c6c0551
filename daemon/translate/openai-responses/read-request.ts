import type { Call } from '../call.ts'
import { checkShape } from '../check-shape.ts'
import { booleanIn, isRecord, type JsonRecord, listIn, numberIn, recordIn, textIn } from '../json-value.ts'
import { EFFORTS, type Feature, type NeutralMessage, type NeutralRequest } from '../neutral.ts'
import { cacheKeyIn, verbosityIn } from '../openai-limits.ts'
import { serviceIn } from '../service.ts'
import { isCompaction, TASK_MESSAGE } from './compaction.ts'
import { readInput } from './read-items.ts'
import { askedIn } from './response-object.ts'
import { REQUEST } from './shape.ts'
import { readChoice, readTools } from './tools.ts'

/** Reads a request for another dialect. @throws GateError BAD_REQUEST */
export function readNeutralRequest({ endpoint, body }: Call): NeutralRequest {
  const request = askedIn(body)
  const ownFields = checkShape(request, REQUEST)
  const features = new Set<Feature>()
  const { tools } = readTools(request['tools'], features)
  const { effort: said, summary } = recordIn(request['reasoning'])
  const effort = textIn(said)
  const messages = [...instructionsOf(request['instructions']), ...readInput(request['input'], features)]
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
    ...serviceIn(request['service_tier']),
    ...verbosityIn(recordIn(request['text'])['verbosity']),
    ...cacheKeyIn(request['prompt_cache_key']),
    showsUsage: true,
    features,
    ownFields,
  }
}

/** Asked for by either field. */
function logprobsOf(request: JsonRecord): Pick<NeutralRequest, 'logprobs'> {
  const top = numberIn(request['top_logprobs']) ?? 0
  const isIncluded = listIn(request['include']).includes('message.output_text.logprobs')
  return isIncluded || top > 0 ? { logprobs: { top } } : {}
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
