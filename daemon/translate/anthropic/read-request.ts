import { GateError } from '../../../schemas/words/errors.ts'
import type { Call } from '../call.ts'
import { checkShape } from '../check-shape.ts'
import { booleanIn, isRecord, type JsonRecord, listIn, numberIn, recordIn, recordsIn, textIn } from '../json-value.ts'
import { EFFORTS, type Feature, type NeutralMessage, type NeutralRequest, type NeutralTool } from '../neutral.ts'
import { toolSchemaOf } from '../tool-schema.ts'
import { withoutAttribution } from './attribution.ts'
import { readContent } from './read-content.ts'
import { REQUEST } from './shape.ts'

/** Reads a request for another dialect. @throws GateError BAD_REQUEST */
export function readNeutralRequest({ body }: Call): NeutralRequest {
  const request: JsonRecord = JSON.parse(body.toString('utf8'))
  const ownFields = checkShape(request, REQUEST)
  const features = new Set<Feature>()
  if (isRecord(request['cache_control'])) features.add('cache marks')
  const config = recordIn(request['output_config'])
  const format = recordIn(config['format'])
  const choice = recordIn(request['tool_choice'])
  const effort = textIn(config['effort'])
  return {
    stream: request['stream'] === true,
    messages: [...systemOf(request['system'], features), ...readMessages(listIn(request['messages']), features)],
    tools: readTools(recordsIn(request['tools']), features),
    toolChoice: choiceOf(choice),
    parallelCalls: choice['disable_parallel_tool_use'] === true ? false : null,
    maxOutputTokens: numberIn(request['max_tokens']),
    temperature: numberIn(request['temperature']),
    topP: numberIn(request['top_p']),
    topK: numberIn(request['top_k']),
    stop: listIn(request['stop_sequences']).filter((one) => typeof one === 'string'),
    seed: null,
    frequencyPenalty: null,
    presencePenalty: null,
    answerForm:
      format['type'] === 'json_schema'
        ? { kind: 'schema', name: null, schema: format['schema'], isStrict: null }
        : null,
    thinking: thinkingOf(recordIn(request['thinking'])),
    effort: EFFORTS.find((one) => one === effort) ?? null,
    endUser: textIn(recordIn(request['metadata'])['user_id']),
    showsUsage: true,
    features,
    ownFields,
  }
}

function systemOf(system: unknown, features: Set<Feature>): readonly NeutralMessage[] {
  const parts = readContent(system, 'system', features).flatMap((part, index) => {
    if (index > 0 || part.kind !== 'text') return [part]
    const text = withoutAttribution(part.text)
    return text === part.text ? [part] : text === '' ? [] : [{ ...part, text }]
  })
  return parts.length === 0 ? [] : [{ role: 'system', parts }]
}

function readMessages(messages: readonly unknown[], features: Set<Feature>): readonly NeutralMessage[] {
  return messages.map((message, index) => {
    const { role, content } = recordIn(message)
    if (role !== 'user' && role !== 'assistant' && role !== 'system') {
      const where = `messages[${index}].role`
      throw new GateError('BAD_REQUEST', `${where}: must be user, assistant or system`, { param: where })
    }
    return { role, parts: readContent(content, `messages[${index}].content`, features) }
  })
}

/** Tools that the client describes; those that its provider knows by name are nobody else's. */
function readTools(tools: readonly JsonRecord[], features: Set<Feature>): readonly NeutralTool[] {
  const read: NeutralTool[] = []
  for (const tool of tools) {
    if (isRecord(tool['cache_control'])) features.add('cache marks')
    const type = tool['type'] ?? 'custom'
    if (type !== 'custom') features.add('server tools')
    else {
      read.push({
        name: textIn(tool['name']) ?? '',
        description: textIn(tool['description']),
        schema: toolSchemaOf(tool['input_schema']),
        isStrict: booleanIn(tool['strict']),
      })
    }
  }
  return read
}

function choiceOf({ type, name }: JsonRecord): NeutralRequest['toolChoice'] {
  if (type === 'tool') return { name: textIn(name) ?? '' }
  return type === 'auto' || type === 'any' || type === 'none' ? type : null
}

function thinkingOf({ type, budget_tokens: budget }: JsonRecord): NeutralRequest['thinking'] {
  if (type === undefined) return null
  return { isOn: type !== 'disabled', budgetTokens: numberIn(budget) }
}
