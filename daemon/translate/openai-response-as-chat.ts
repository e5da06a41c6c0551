import { GateError } from '../../schemas/words/errors.ts'
import type { Call, Endpoint } from './call.ts'
import { fieldsDropped, withRealForce } from './features.ts'
import { written } from './json-splice.ts'
import { isRecord, recordIn, textIn } from './json-value.ts'
import { openAiChat } from './openai-chat/dialect.ts'
import { openAiResponses } from './openai-responses/dialect.ts'

const CHAT = '/v1/chat/completions'
const RESPONSES: Endpoint = { method: 'POST', path: '/v1/responses', scope: 'chat:write', does: 'generate' }
/** Whose form of a chat is written: all others are made of it. */
const PROVIDER = 'openai'

/** Fields that mean the same in both. */
const SHARED = [
  'metadata',
  'models',
  'prompt_cache_key',
  'prompt_cache_retention',
  'provider',
  'service_tier',
  'store',
] as const
const VERBOSITY = 'text.verbosity'
const SAID: ReadonlySet<string> = new Set([...SHARED, VERBOSITY])

/**
 * A request that is one for a response in all but its path, and that wants to be answered as a chat, as those of Cursor:
 * it becomes the chat that it means. Any other is returned as it is.
 * @param hold counts bytes that are kept for the request @throws GateError BAD_REQUEST, OVERLOADED
 */
export function asChat(call: Call, hold: (bytes: number) => void): Call {
  const { endpoint, body, outline } = call
  if (endpoint.path !== CHAT || outline?.kind !== 'object' || !isResponse(outline.members)) return call
  const meant = { ...call, endpoint: RESPONSES }
  const { model } = openAiResponses.readRequest(meant)
  const asked = JSON.parse(body.toString('utf8'))
  for (const param of ['previous_response_id', 'background']) {
    if (asked[param] === undefined || asked[param] === null || asked[param] === false) continue
    throw new GateError('BAD_REQUEST', `"${param}" is for ${RESPONSES.path}, not for ${CHAT}`, { param })
  }
  const { neutral: from } = openAiResponses
  const { neutral: to } = openAiChat
  const request = from.readRequest(meant)
  const lost = fieldsDropped(request, from.features(PROVIDER), to.features(PROVIDER)).filter((name) => !SAID.has(name))
  // which model answers is not known yet: what it does not take is for its upstream to be spared
  const { stream_options: _, ...chat } = recordIn(
    to.writeRequest(withRealForce(request), { model: '', provider: PROVIDER }),
  )
  const verbosity = textIn(recordIn(asked['text'])['verbosity'])
  const rest = {
    ...Object.fromEntries(SHARED.filter((name) => Object.hasOwn(asked, name)).map((name) => [name, asked[name]])),
    ...(verbosity !== null && { verbosity }),
    ...(isRecord(asked['stream_options']) && { stream_options: asked['stream_options'] }),
  }
  const sent = written({ ...chat, ...rest, model })
  hold(sent.body.length)
  return { ...call, ...sent, lost }
}

const isResponse = (members: readonly { readonly key: string }[]): boolean =>
  members.some(({ key }) => key === 'input') && !members.some(({ key }) => key === 'messages')
