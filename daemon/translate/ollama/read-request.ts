import { GateError } from '../../../schemas/words/errors.ts'
import type { Call } from '../call.ts'
import { checkShape } from '../check-shape.ts'
import { isRecord, type JsonRecord, listIn, numberIn, recordIn, recordsIn, textIn } from '../json-value.ts'
import { EFFORTS, type Feature, type NeutralMessage, type NeutralRequest, type NeutralTool } from '../neutral.ts'
import { toolSchemaOf } from '../tool-schema.ts'
import { imagesOf, readMessages } from './read-messages.ts'
import { REQUEST } from './shape.ts'

/** Reads a request for another dialect: a conversation, or one prompt. @throws GateError BAD_REQUEST */
export function readNeutralRequest({ body }: Call): NeutralRequest {
  const request: JsonRecord = JSON.parse(body.toString('utf8'))
  const ownFields = checkShape(request, REQUEST)
  const options = recordIn(request['options'])
  const features = new Set<Feature>()
  for (const field of ['suffix', 'raw']) {
    if (!request[field]) continue
    const message = `"${field}" cannot be passed on to the upstream of this model: it takes conversations`
    throw new GateError('BAD_REQUEST', message, { param: field })
  }
  const limit = numberIn(options['num_predict'])
  return {
    stream: request['stream'] !== false,
    messages: Array.isArray(request['messages']) ? readMessages(request['messages']) : promptOf(request),
    tools: recordsIn(request['tools']).map(toolOf),
    toolChoice: null,
    parallelCalls: null,
    maxOutputTokens: limit !== null && limit > 0 ? limit : null, // less means that there is none
    temperature: numberIn(options['temperature']),
    topP: numberIn(options['top_p']),
    topK: numberIn(options['top_k']),
    stop: [options['stop'] ?? []].flat().filter((one) => typeof one === 'string'),
    seed: numberIn(options['seed']),
    frequencyPenalty: numberIn(options['frequency_penalty']),
    presencePenalty: numberIn(options['presence_penalty']),
    ...(request['logprobs'] === true && { logprobs: { top: numberIn(request['top_logprobs']) ?? 0 } }),
    answerForm: answerFormOf(request['format']),
    ...thinkingOf(request['think']),
    endUser: null,
    showsUsage: true,
    features,
    ownFields: [...ownFields, ...(isIdle(request) ? ['top_logprobs'] : [])],
  }
}

/** Others in the place of tokens, of which nothing is asked. */
const isIdle = ({ logprobs, top_logprobs: top }: JsonRecord): boolean => logprobs !== true && (numberIn(top) ?? 0) > 0

function promptOf({ system, prompt, images }: JsonRecord): readonly NeutralMessage[] {
  const instructions = textIn(system) ?? ''
  const parts = [{ kind: 'text', text: textIn(prompt) ?? '' } as const, ...imagesOf(listIn(images), 'images')]
  return [
    ...(instructions === '' ? [] : [{ role: 'system', parts: [{ kind: 'text', text: instructions }] } as const]),
    { role: 'user', parts },
  ]
}

function toolOf(tool: JsonRecord): NeutralTool {
  const { name, description, parameters } = recordIn(tool['function'])
  return {
    name: textIn(name) ?? '',
    description: textIn(description),
    schema: toolSchemaOf(parameters),
    isStrict: null,
  }
}

function answerFormOf(format: unknown): NeutralRequest['answerForm'] {
  if (format === 'json') return { kind: 'json' }
  return isRecord(format) ? { kind: 'schema', name: null, schema: format, isStrict: null } : null
}

function thinkingOf(think: unknown): Pick<NeutralRequest, 'thinking' | 'effort'> {
  if (think === undefined || think === null) return { thinking: null, effort: null }
  return {
    thinking: { isOn: think !== false, budgetTokens: null },
    effort: EFFORTS.find((one) => one === think) ?? null,
  }
}
