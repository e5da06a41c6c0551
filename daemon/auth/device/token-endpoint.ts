import { DEVICE_CODE_GRANT } from '../../../schemas/words/sign-in.ts'
import type { DeviceGrants, PollResult } from './grants.ts'
import type { TokenAnswer } from './sign-in-tokens.ts'
import type { SignIns } from './sign-ins.ts'

/** What a client sends to the token endpoint; a parameter without a value counts as left out (RFC 6749 section 3.1). */
export type TokenRequest = {
  readonly grant_type?: string | undefined
  readonly device_code?: string | undefined
  readonly refresh_token?: string | undefined
  readonly client_id?: string | undefined
}

export type OAuthErrorCode = Exclude<PollResult['kind'], 'approved'> | 'invalid_request' | 'unsupported_grant_type'

/** RFC 6749 section 5.2. */
export type OAuthError = { readonly error: OAuthErrorCode; readonly error_description: string }

export type TokenReply = { readonly status: number; readonly body: TokenAnswer | OAuthError }

const DESCRIPTIONS: Readonly<Record<OAuthErrorCode, string>> = {
  authorization_pending: 'the person has not decided yet; ask again after the interval',
  slow_down: 'add 5 seconds to the interval between two requests',
  access_denied: 'the person has refused',
  expired_token: 'the code has expired; begin again',
  invalid_grant: 'the code or token does not count, or is not for this client; sign in again',
  invalid_request: 'a parameter is missing',
  unsupported_grant_type: `grant_type is ${DEVICE_CODE_GRANT} or refresh_token`,
}

/** The token endpoint: RFC 8628 section 3.4, RFC 6749 section 6. */
export function answerTokenRequest(
  grants: Pick<DeviceGrants, 'poll'>,
  signIns: Pick<SignIns, 'begin' | 'refresh'>,
  request: TokenRequest,
): TokenReply {
  const clientId = request.client_id || null
  switch (request.grant_type) {
    case undefined:
    case '':
      return refused('invalid_request')
    case DEVICE_CODE_GRANT: {
      if (!request.device_code) return refused('invalid_request')
      const result = grants.poll(request.device_code, clientId)
      if (result.kind !== 'approved') return refused(result.kind)
      const answer = signIns.begin(result.userId, clientId, result.label, result.scope)
      return answer === null ? refused('access_denied') : { status: 200, body: answer }
    }
    case 'refresh_token': {
      if (!request.refresh_token) return refused('invalid_request')
      const answer = signIns.refresh(request.refresh_token, clientId)
      // with 401 Claude Code asks its user to sign in at once
      return answer === null ? refused('invalid_grant', 401) : { status: 200, body: answer }
    }
    default:
      return refused('unsupported_grant_type')
  }
}

function refused(error: OAuthErrorCode, status = 400): TokenReply {
  return { status, body: { error, error_description: DESCRIPTIONS[error] } }
}
