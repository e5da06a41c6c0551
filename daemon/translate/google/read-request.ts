import { GateError } from '../../../schemas/words/errors.ts'
import type { Call } from '../call.ts'
import { checkTypes, type FieldTypes, unread } from '../field-types.ts'
import { isRecord, type JsonRecord, listIn, numberIn, textIn } from '../json-value.ts'
import { EFFORTS, type Feature, type NeutralMessage, type NeutralRequest, type NeutralTool } from '../neutral.ts'
import { camelIn, camelsIn } from './camel.ts'
import { isStream } from './endpoint.ts'
import { readContents, readParts } from './read-contents.ts'
import { jsonSchemaOf } from './schema.ts'

/** The fields that are read below. */
const READ: FieldTypes = {
  contents: ['list'],
  systemInstruction: ['text', 'object'],
  tools: ['list'],
  toolConfig: ['object'],
  generationConfig: ['object'],
  model: ['text'],
}
const READ_OF_TOOL_CONFIG: FieldTypes = { functionCallingConfig: ['object'] }
const READ_OF_CONFIG: FieldTypes = {
  candidateCount: ['number'],
  frequencyPenalty: ['number'],
  logprobs: ['number'],
  maxOutputTokens: ['number'],
  presencePenalty: ['number'],
  responseJsonSchema: [],
  responseLogprobs: ['boolean'],
  responseMimeType: ['text'],
  responseModalities: ['list'],
  responseSchema: ['object'],
  seed: ['number'],
  stopSequences: ['list'],
  temperature: ['number'],
  thinkingConfig: ['object'],
  topK: ['number'],
  topP: ['number'],
}

/** Reads a request for another dialect. @throws GateError BAD_REQUEST */
export function readNeutralRequest({ endpoint, body }: Call): NeutralRequest {
  const asked = camelIn(JSON.parse(body.toString('utf8')))
  const counted = asked['generateContentRequest'] // what is to be counted may be wrapped
  const request = counted === undefined ? asked : camelIn(counted)
  const features = new Set<Feature>()
  checkTypes(request, READ)
  const config = camelIn(request['generationConfig'])
  checkTypes(config, READ_OF_CONFIG, 'generationConfig.')
  if (request['cachedContent'] !== undefined) {
    const message =
      '"cachedContent" cannot be passed on to the upstream of this model: Google keeps it; send the content'
    throw new GateError('BAD_REQUEST', message, { param: 'cachedContent' })
  }
  noteFeatures(config, features)
  return {
    stream: isStream(endpoint),
    messages: [
      ...systemOf(request['systemInstruction'], features),
      ...readContents(listIn(request['contents']), features),
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
    showsUsage: true,
    features,
    ownFields: [
      ...unread(request, READ),
      ...unread(config, READ_OF_CONFIG).map((name) => `generationConfig.${name}`),
      ...foreignIn(request, config),
    ],
  }
}

/** Values of fields that are read, which no other dialect has. */
function foreignIn(request: JsonRecord, config: JsonRecord): readonly string[] {
  const form = textIn(config['responseMimeType']) ?? 'text/plain'
  const level = textIn(camelIn(config['thinkingConfig'])['thinkingLevel'])?.toLowerCase()
  const toolConfig = camelIn(request['toolConfig'])
  const mode = textIn(camelIn(toolConfig['functionCallingConfig'])['mode'])?.toUpperCase()
  const isKnownLevel = level === undefined || level.endsWith('unspecified') || EFFORTS.some((one) => one === level)
  return [
    ...(form === 'text/plain' || form === 'application/json' ? [] : ['generationConfig.responseMimeType']),
    ...(isKnownLevel ? [] : ['generationConfig.thinkingConfig']),
    ...(mode === 'VALIDATED' ? ['toolConfig.functionCallingConfig'] : []),
    ...unread(toolConfig, READ_OF_TOOL_CONFIG).map((name) => `toolConfig.${name}`),
  ]
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
  const given = request['tools']
  for (const tool of camelsIn(isRecord(given) ? [given] : given)) {
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
  const schema = isRecord(parametersJsonSchema)
    ? parametersJsonSchema
    : isRecord(parameters)
      ? jsonSchemaOf(parameters)
      : NO_PARAMETERS
  return { name: textIn(name) ?? '', description: textIn(description), schema, isStrict: null }
}

const NO_PARAMETERS = { type: 'object', properties: {} }

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
