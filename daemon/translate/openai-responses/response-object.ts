import type { GateError } from '../../../schemas/words/errors.ts'
import {
  booleanIn,
  isRecord,
  type JsonRecord,
  listIn,
  numberIn,
  parsedRecord,
  recordIn,
  textIn,
} from '../json-value.ts'
import type { Finish, Usage } from '../neutral.ts'
import type { Told } from '../neutral-form.ts'
import { serviceTierOf } from '../openai-limits.ts'
import { responseError } from './error.ts'
import { usageObject } from './usage.ts'

/** What is said of one response at one moment. */
type State = {
  readonly status: 'queued' | 'in_progress' | 'completed' | 'incomplete' | 'failed'
  readonly model: string
  readonly output: readonly object[]
  readonly usage: Usage | null
  readonly reason?: 'max_output_tokens' | 'content_filter' | null
  readonly error?: GateError | null
}

/** Its id: one that Gate makes, since those of upstreams may be the same for two answers. */
export const responseId = (requestId: string): string => `resp_${ownPart(requestId)}`

/** An id of one of its items. */
export const itemId = (kind: 'msg' | 'rs' | 'fc' | 'ctc', requestId: string, index: number): string =>
  `${kind}_${ownPart(requestId)}_${index}`

const ownPart = (requestId: string): string => requestId.replace(/^req_/, '')

/**
 * A response. Every field is there, as the Open Responses document wants it, and those that OpenAI's SDK reads besides;
 * what the client did not say is as OpenAI has it then.
 * @see https://www.openresponses.org/specification
 */
export function responseObject({ requestId, call, nowS }: Told, state: State): JsonRecord {
  const asked = askedIn(call.asked ?? call.body)
  const { status, model, output, usage, reason = null, error = null } = state
  const { effort, summary } = recordIn(asked['reasoning'])
  return {
    id: responseId(requestId),
    object: 'response',
    created_at: nowS,
    completed_at: status === 'completed' ? nowS : null,
    status,
    background: asked['background'] === true,
    error: error === null ? null : responseError(error),
    incomplete_details: reason === null ? null : { reason },
    instructions: textIn(asked['instructions']),
    max_output_tokens: numberIn(asked['max_output_tokens']),
    max_tool_calls: numberIn(asked['max_tool_calls']),
    model,
    output,
    output_text: textOf(output),
    parallel_tool_calls: booleanIn(asked['parallel_tool_calls']) ?? true,
    previous_response_id: textIn(asked['previous_response_id']),
    prompt_cache_key: textIn(asked['prompt_cache_key']),
    reasoning: { effort: textIn(effort), summary: textIn(summary) },
    safety_identifier: textIn(asked['safety_identifier']),
    service_tier: (usage === null ? null : serviceTierOf(usage)) ?? 'default',
    store: asked['store'] !== false,
    temperature: numberIn(asked['temperature']) ?? 1,
    text: textConfig(recordIn(asked['text'])),
    tool_choice: asked['tool_choice'] ?? 'auto',
    tools: listIn(asked['tools']).map(shownTool),
    top_logprobs: numberIn(asked['top_logprobs']) ?? 0,
    top_p: numberIn(asked['top_p']) ?? 1,
    presence_penalty: 0,
    frequency_penalty: 0,
    truncation: textIn(asked['truncation']) ?? 'disabled',
    usage: usage === null ? null : usageObject(usage),
    metadata: recordIn(asked['metadata']),
    access_programs: null,
  }
}

/** With what may be left out of a request, but not of a response. */
function shownTool(tool: unknown): unknown {
  if (!isRecord(tool) || tool['type'] !== 'function') return tool
  return {
    ...tool,
    description: tool['description'] ?? null,
    parameters: tool['parameters'] ?? null,
    strict: tool['strict'] ?? null,
  }
}

function textConfig({ format, verbosity }: JsonRecord): object {
  const asked = isRecord(format) ? format : { type: 'text' }
  const isSchema = asked['type'] === 'json_schema'
  const shown = isSchema
    ? { ...asked, description: asked['description'] ?? null, strict: asked['strict'] ?? false }
    : asked
  return { format: shown, ...(textIn(verbosity) !== null && { verbosity }) }
}

const read = new WeakMap<Buffer, JsonRecord>()

/** What the client asked for, parsed once for all that look at it; nothing where the body is no object of JSON. */
export function askedIn(body: Buffer): JsonRecord {
  const known = read.get(body)
  if (known !== undefined) return known
  const asked = parsedRecord(body.toString('utf8')) ?? {}
  read.set(body, asked)
  return asked
}

function textOf(output: readonly object[]): string {
  return output
    .flatMap((item) => listIn(recordIn(item)['content']))
    .map((part) => (recordIn(part)['type'] === 'output_text' ? textIn(recordIn(part)['text']) : ''))
    .join('')
}

/** How an answer that ended for some reason is said to have ended. @param hasRefused the model said so itself */
export function endOf(finish: Finish, hasRefused: boolean): Pick<State, 'status' | 'reason'> {
  if (finish === 'length') return { status: 'incomplete', reason: 'max_output_tokens' }
  if (finish === 'refused' && !hasRefused) return { status: 'incomplete', reason: 'content_filter' }
  return { status: 'completed' }
}
