import type { Wanted } from '../route/choice.ts'
import { ANYWHERE } from '../route/choice.ts'
import type { KeyRoutes } from '../route/routes.ts'
import type { Call, ModelRequest } from '../translate/call.ts'
import type { Dialect } from '../translate/dialect.ts'

const LONGEST_SESSION = 200
/** Every dialect names them so; in a text the quotes are escaped. */
const TOOLS = /"tools"\s*:\s*\[\s*\{/

/** What a request says of where it wants to go. @param keyId whose sessions they are */
export function wantedOf(
  call: Call,
  { cacheKey, routing }: ModelRequest,
  { media, estimateInput }: Dialect,
  keyId: string,
): Wanted {
  const { headers, body } = call
  const name = sessionIn(headers) ?? cacheKey
  const session = name === undefined ? null : sessionOf(keyId, name)
  let held: readonly string[] | null = null
  let offersTools: boolean | null = null
  const { models, order, only, ignore, strategy, isAcrossModels, maxPrice, promises, isAlone } = routing ?? ANYWHERE
  return {
    models,
    order,
    only,
    ignore,
    strategy,
    isAcrossModels,
    maxPrice,
    promises,
    isAlone,
    session,
    servedBy: call.servedBy ?? null,
    offersTools() {
      offersTools ??= body.includes('tools"') && TOOLS.test(body.toString('latin1'))
      return offersTools
    },
    isLongerThan: (tokens) => body.length > tokens && estimateInput(call) > tokens, // no token is shorter than a byte
    holds() {
      held ??= heldIn(body, media)
      return held
    },
  }
}

/** The header in which a client says which requests belong together. Names of their own are looked up faster than those of a list. */
function sessionIn(headers: Call['headers']): string | undefined {
  const name =
    headers['x-claude-code-session-id'] ??
    headers['session-id'] ??
    headers['x-session-affinity'] ??
    headers['x-session-id'] ??
    headers['x-conversation-id'] ??
    headers['x-openwebui-chat-id']
  return typeof name === 'string' ? name : undefined
}

function heldIn(body: Buffer, media: Dialect['media']): readonly string[] {
  const possible = Object.entries(media).filter(([, { word }]) => body.includes(word))
  if (possible.length === 0) return []
  const text = body.toString('latin1')
  return possible.flatMap(([what, { sign }]) => (sign.test(text) ? [what] : []))
}

/** A session of one key. */
export const sessionOf = (keyId: string, name: string): string => `${keyId} ${name.slice(0, LONGEST_SESSION)}`

/** How models are named there. */
export const MODELS = 'models.'

/** The names of what a request says of where it wants to go, and nothing heeds here. */
export function unheededIn({ routing }: ModelRequest, routes: Pick<KeyRoutes, 'unknownOf'>): readonly string[] {
  if (routing === undefined) return []
  return [...routing.ignored, ...routes.unknownOf(routing.models).map((name) => MODELS + name)]
}
