import type { Wanted } from '../route/choice.ts'
import { ANYWHERE } from '../route/choice.ts'
import type { Call, Dialect, ModelRequest } from '../translate/dialect.ts'

/** Headers in which clients say which requests belong together. */
const SESSION_HEADERS = [
  'x-claude-code-session-id',
  'session-id',
  'x-session-affinity',
  'x-session-id',
  'x-conversation-id',
]
const LONGEST_SESSION = 200

/** What a request says of where it wants to go. @param keyId whose sessions they are */
export function wantedOf(
  { headers, body }: Call,
  { cacheKey, routing }: ModelRequest,
  { media }: Dialect,
  keyId: string,
): Wanted {
  const name = SESSION_HEADERS.map((header) => headers[header]).find((value) => typeof value === 'string') ?? cacheKey
  const session = name === undefined ? null : `${keyId} ${name.slice(0, LONGEST_SESSION)}`
  let held: readonly string[] | null = null
  return {
    ...ANYWHERE,
    ...routing,
    session,
    holds() {
      held ??= Object.entries(media).flatMap(([what, sign]) => (sign.test(body.toString('latin1')) ? [what] : []))
      return held
    },
  }
}
