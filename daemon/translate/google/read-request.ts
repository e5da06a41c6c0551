import type { Call } from '../call.ts'
import { checkShape } from '../check-shape.ts'
import { isRecord, type JsonRecord, listIn, numberIn, textIn } from '../json-value.ts'
import { EFFORTS, type Feature, type NeutralMessage, type NeutralRequest, type NeutralTool } from '../neutral.ts'
import { serviceIn } from '../service.ts'
import { toolSchemaOf } from '../tool-schema.ts'
import { camelIn, camelsIn, oneOrMore } from './camel.ts'
import { isStream } from './endpoint.ts'
import { readContents, readParts } from './read-contents.ts'
import { jsonSchemaOf } from './schema.ts'
import { REQUEST } from './shape.ts'

/** Reads a request for another dialect. @throws GateError BAD_REQUEST */
export function readNeutralRequest({ endpoint, body }: Call): NeutralRequest {
  const asked: JsonRecord = JSON.parse(body.toString('utf8'))
  const counted = camelIn(asked)['generateContentRequest'] // what is to be counted may be wrapped
  const given = isRecord(counted) ? counted : asked
  const ownFields = checkShape(given, REQUEST, camelIn)
  const request = camelIn(given)
  const features = new Set<Feature>()
  const config = camelIn(request['generationConfig'])
  noteFeatures(config, features)
  return {
    stream: isStream(endpoint),
    messages: [
      ...systemOf(request['systemInstruction'], features),
      ...readContents(oneOrMore(request['contents']), features),
    ],
    ...toolsOf(request, features),
    parallelCalls: null,
    maxOutputTokens: numberIn(config['maxOutputTokens']),
    temperature: numberIn(config['temperature']),
    topP: numberIn(config['topP']),
    topK: numberIn(config['topK']),
    seed: numberIn(config['seed']),
    frequencyPenalty: numberIn(config['frequencyPenalty']),
    presencePenalty: numberIn(config['presencePenalty']),
    stop: listIn(config['stopSequences']).filter((one) => typeof one === 'string'),
    answerForm: answerFormOf(config),
    ...thinkingOf(camelIn(config['thinkingConfig'])),
    ...(config['responseLogprobs'] === true && { logprobs: { top: numberIn(config['logprobs']) ?? 0 } }),
    endUser: null,
    ...serviceIn(request['serviceTier']),
    showsUsage: true,
    features,
    ownFields: [...ownFields, ...idleIn(config)],
  }
}

/** Notes what is asked for that is no field of the neutral form. */
function noteFeatures(config: JsonRecord, features: Set<Feature>): void {
  if ((numberIn(config['candidateCount']) ?? 1) > 1) features.add('several answers')
  const modalities = listIn(config['responseModalities']).map((one) => String(one).toUpperCase())
  if (modalities.includes('AUDIO')) features.add('audio answers')
  if (modalities.includes('IMAGE')) features.add('image answers')
}

function systemOf(instruction: unknown, features: Set<Feature>): readonly NeutralMessage[] {
  const parts = readParts(
    typeof instruction === 'string' ? { text: instruction } : instruction,
    'systemInstruction',
    features,
  )
  return parts.length === 0 ? [] : [{ role: 'system', parts }]
}

/** Functions that the client describes; tools that Google runs itself are nobody else's. */
function toolsOf(request: JsonRecord, features: Set<Feature>): Pick<NeutralRequest, 'tools' | 'toolChoice'> {
  const all: NeutralTool[] = []
  for (const tool of camelsIn(request['tools'])) {
    if (Object.keys(tool).some((name) => name !== 'functionDeclarations')) features.add('server tools')
    all.push(...camelsIn(tool['functionDeclarations']).map(toolOf))
  }
  const calling = camelIn(camelIn(request['toolConfig'])['functionCallingConfig'])
  const mode = textIn(calling['mode'])?.toUpperCase()
  const allowed = listIn(calling['allowedFunctionNames'])
  const tools = allowed.length > 0 ? all.filter(({ name }) => allowed.includes(name)) : all
  const [only, another] = tools
  if (mode === 'NONE') return { tools: all, toolChoice: 'none' }
  if (mode !== 'ANY') return { tools, toolChoice: mode === 'AUTO' ? 'auto' : null }
  return { tools, toolChoice: only !== undefined && another === undefined ? { name: only.name } : 'any' }
}

function toolOf({ name, description, parameters, parametersJsonSchema }: JsonRecord): NeutralTool {
  const given = isRecord(parameters) ? jsonSchemaOf(parameters) : null
  const schema = toolSchemaOf(isRecord(parametersJsonSchema) ? parametersJsonSchema : given)
  return { name: textIn(name) ?? '', description: textIn(description), schema, isStrict: null }
}

function answerFormOf(config: JsonRecord): NeutralRequest['answerForm'] {
  const { responseJsonSchema, responseSchema } = config
  if (config['responseMimeType'] !== 'application/json') return null
  const schema = isRecord(responseJsonSchema)
    ? responseJsonSchema
    : isRecord(responseSchema)
      ? jsonSchemaOf(responseSchema)
      : null
  return schema === null ? { kind: 'json' } : { kind: 'schema', name: null, schema, isStrict: null }
}

/** A schema counts for JSON alone, and how many others there are in the place of a token where its likelihood is told. */
function idleIn(config: JsonRecord): readonly string[] {
  const schemas = config['responseMimeType'] === 'application/json' ? [] : ['responseJsonSchema', 'responseSchema']
  const counts = config['responseLogprobs'] === true ? [] : ['logprobs']
  const idle = [...schemas.filter((name) => isRecord(config[name])), ...counts.filter((name) => Boolean(config[name]))]
  return idle.map((name) => `generationConfig.${name}`)
}

/** A budget of 0 switches thinking off, -1 leaves it to the model. Thoughts are shown only when asked for. */
function thinkingOf(config: JsonRecord): Pick<NeutralRequest, 'thinking' | 'effort'> {
  const budget = numberIn(config['thinkingBudget'])
  const level = textIn(config['thinkingLevel'])?.toLowerCase() ?? null
  const isShown = config['includeThoughts'] === true
  if (budget === null && level === null && !isShown) return { thinking: null, effort: null }
  return {
    thinking: { isOn: budget !== 0, budgetTokens: budget !== null && budget > 0 ? budget : null, isShown },
    effort: EFFORTS.find((one) => one === level) ?? null,
  }
}
