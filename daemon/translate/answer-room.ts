import { providerRow } from '../../schemas/words/providers.ts'
import type { UpstreamSide } from './call.ts'
import type { NeutralRequest } from './neutral.ts'

/** An estimate of a prompt is right within a third. */
const SAFELY = 4 / 3
/** Where a prompt fills the context itself, its upstream is left to say so. */
const LEAST_ROOM = 1_024

type Prompt = { readonly bytes: number; readonly tokens: () => number }

/**
 * Lowers the limit of an answer to what the model can say, where that is known. Clients ask for the longest answers of
 * the model that they think they talk to; upstreams refuse to promise more than their model can say, and engines more
 * than is left of its context.
 */
export function withRoom(
  request: NeutralRequest,
  { provider, facts = {} }: UpstreamSide,
  prompt: Prompt,
): NeutralRequest {
  const { maxOutputTokens: asked } = request
  if (asked === null) return request
  const { outputTokens = asked, contextTokens } = facts
  const context = providerRow(provider).isEngine === true ? contextTokens : undefined
  const longest = Math.min(asked, outputTokens)
  const isSmall = context === undefined || longest + prompt.bytes <= context // a token has a byte at least
  const room = isSmall ? longest : Math.max(context - Math.ceil(prompt.tokens() * SAFELY), LEAST_ROOM)
  const maxOutputTokens = Math.min(longest, room)
  return maxOutputTokens === asked ? request : { ...request, maxOutputTokens }
}
