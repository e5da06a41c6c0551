import type { Call } from '../call.ts'
import { checkShape } from '../check-shape.ts'
import { freeformTool } from '../freeform.ts'
import { booleanIn, isRecord, type JsonRecord, listIn, numberIn, recordIn, recordsIn, textIn } from '../json-value.ts'
import { EFFORTS, type Feature, type NeutralRequest, type NeutralTool } from '../neutral.ts'
import { cacheKeyIn, verbosityIn } from '../openai-limits.ts'
import { serviceIn } from '../service.ts'
import { toolSchemaOf } from '../tool-schema.ts'
import { readMessages } from './read-messages.ts'
import { REQUEST } from './shape.ts'

/** Reads a request for another dialect. @throws GateError BAD_REQUEST */
export function readNeutralRequest({ body }: Call): NeutralRequest {
  const request: JsonRecord = JSON.parse(body.toString('utf8'))
  const ownFields = checkShape(request, REQUEST)
  const features = new Set<Feature>()
  const messages = readMessages(listIn(request['messages']), features)
  const tools = readTools(request, features)
  const effort = textIn(request['reasoning_effort'])
  noteFeatures(request, features)
  return {
    stream: request['stream'] === true,
    messages,
    ...tools,
    parallelCalls: booleanIn(request['parallel_tool_calls']),
    maxOutputTokens: numberIn(request['max_completion_tokens']) ?? numberIn(request['max_tokens']),
    temperature: numberIn(request['temperature']),
    topP: numberIn(request['top_p']),
    topK: numberIn(request['top_k']),
    stop: stopOf(request['stop']),
    seed: numberIn(request['seed']),
    frequencyPenalty: numberIn(request['frequency_penalty']),
    presencePenalty: numberIn(request['presence_penalty']),
    answerForm: answerFormOf(recordIn(request['response_format'])),
    thinking: effort === null ? null : { isOn: effort !== 'none', budgetTokens: null },
    effort: EFFORTS.find((one) => one === effort) ?? null,
    ...(request['logprobs'] === true && { logprobs: { top: numberIn(request['top_logprobs']) ?? 0 } }),
    endUser: textIn(request['safety_identifier']) ?? textIn(request['user']),
    ...serviceIn(request['service_tier']),
    ...verbosityIn(request['verbosity']),
    ...cacheKeyIn(request['prompt_cache_key']),
    ...(isRecord(request['metadata']) &&
      Object.keys(request['metadata']).length > 0 && { metadata: request['metadata'] }),
    showsUsage: recordIn(request['stream_options'])['include_usage'] === true,
    features,
    ownFields: [...ownFields, ...(isIdle(request) ? ['top_logprobs'] : [])],
  }
}

/** Others in the place of tokens, of which nothing is asked. */
const isIdle = ({ logprobs, top_logprobs: top }: JsonRecord): boolean => logprobs !== true && (numberIn(top) ?? 0) > 0

/** Notes what is asked for that is no field of the neutral form. */
function noteFeatures(request: JsonRecord, features: Set<Feature>): void {
  if ((numberIn(request['n']) ?? 1) > 1) features.add('several answers')
  if (listIn(request['modalities']).includes('audio')) features.add('audio answers')
  if (listIn(request['modalities']).includes('image')) features.add('image answers')
  if (Object.keys(recordIn(request['logit_bias'])).length > 0) features.add('logit bias')
}

function readTools(request: JsonRecord, features: Set<Feature>): Pick<NeutralRequest, 'tools' | 'toolChoice'> {
  const tools: NeutralTool[] = []
  for (const tool of recordsIn(request['tools'])) {
    if (tool['type'] === 'custom') tools.push(readFreeform(recordIn(tool['custom'])))
    else if (tool['type'] === 'function') tools.push(readTool(recordIn(tool['function'])))
    else features.add('server tools')
  }
  const choice = request['tool_choice']
  if (choice === 'auto' || choice === 'none') return { tools, toolChoice: choice }
  if (choice === 'required') return { tools, toolChoice: 'any' }
  if (!isRecord(choice)) return { tools, toolChoice: null }
  const name = textIn(nameIn(choice))
  if (name !== null) return { tools, toolChoice: { name } }
  const allowed = recordIn(choice['allowed_tools'])
  const names = new Set(recordsIn(allowed['tools']).map(nameIn))
  return {
    tools: tools.filter((tool) => names.has(tool.name)),
    toolChoice: allowed['mode'] === 'required' ? 'any' : 'auto',
  }
}

/** Of a tool, or of a choice of one. */
const nameIn = ({ function: one, custom }: JsonRecord): unknown => recordIn(one)['name'] ?? recordIn(custom)['name']

/** A grammar is an object of its own here. */
function readFreeform({ name, description, format }: JsonRecord): NeutralTool {
  const { type, grammar } = recordIn(format)
  return freeformTool(textIn(name) ?? '', description, type === 'grammar' ? { type, ...recordIn(grammar) } : format)
}

function readTool(tool: JsonRecord): NeutralTool {
  return {
    name: textIn(tool['name']) ?? '',
    description: textIn(tool['description']),
    schema: toolSchemaOf(tool['parameters']),
    isStrict: booleanIn(tool['strict']),
  }
}

function stopOf(stop: unknown): readonly string[] {
  if (typeof stop === 'string') return [stop]
  return listIn(stop).filter((one) => typeof one === 'string')
}

function answerFormOf(format: JsonRecord): NeutralRequest['answerForm'] {
  if (format['type'] === 'json_object') return { kind: 'json' }
  if (format['type'] !== 'json_schema') return null
  const { name, description, schema, strict } = recordIn(format['json_schema'])
  return {
    kind: 'schema',
    name: textIn(name),
    ...(typeof description === 'string' && { description }),
    schema,
    isStrict: booleanIn(strict),
  }
}
