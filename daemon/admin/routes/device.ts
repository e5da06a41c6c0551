import { z } from 'zod'
import {
  deviceAnswer,
  deviceDecision,
  deviceList,
  deviceRequest,
  oauthError,
  pendingDevice,
  revokeRequest,
  serverMetadata,
  tokenAnswer,
  tokenRequestForm,
} from '../../../schemas/api/device.ts'
import { GateError } from '../../../schemas/words/errors.ts'
import { SCOPES, scopesIn } from '../../../schemas/words/scopes.ts'
import { DEVICE_CODE_GRANT, DEVICE_CODE_LIFE_S, POLL_INTERVAL_S } from '../../../schemas/words/sign-in.ts'
import type { DeviceGrants, PendingDevice } from '../../auth/device/grants.ts'
import type { SignIn } from '../../auth/device/sign-in.ts'
import type { SignIns } from '../../auth/device/sign-ins.ts'
import type { TokenReply, TokenRequest } from '../../auth/device/token-endpoint.ts'
import type { Principal } from '../../auth/principal.ts'
import { json, type Reply } from '../reply.ts'
import { type ApiRequest, type ApiRoute, apiRoute } from '../route.ts'

export type DeviceParts = {
  readonly grants: Pick<DeviceGrants, 'begin'>
  readonly signIns: Pick<SignIns, 'list' | 'end' | 'revokeToken'>
  /** The token endpoint. */
  readonly exchange: (request: TokenRequest) => TokenReply
  /** A person decides on the device that shows a code. @throws GateError SIGN_IN_REFUSED, OBJECT_NOT_FOUND, TOO_MANY_ATTEMPTS */
  readonly decide: (principal: Principal, userCode: string, decision: 'approve' | 'deny') => PendingDevice
  /** `server.external_url`, or where Gate listens. */
  readonly origin: () => string
  /** Whether devices are let in: `auth.mode`. */
  readonly letsDevicesIn: () => boolean
}

/** Refuses what may end nothing but itself. @throws GateError MISSING_SCOPE */
type RequireWholePerson = (principal: Principal) => void

const LONGEST_LABEL = 100

/** Where clients expect it that read no metadata, beside Gate's own paths. */
const DEVICE_PATHS = ['/auth/device', '/oauth/device_authorization'] as const
const TOKEN_PATHS = ['/auth/device/token', '/oauth/token'] as const
const REVOKE_PATH = '/auth/revoke'

/** RFC 6749 section 5.2 */
const OAUTH = {
  refusal: oauthError,
  refuse: (detail: string) => json({ error: 'invalid_request', error_description: detail }, { status: 400 }),
} as const

/** Signing in on a device (RFC 8628), what it gets for that (RFC 6749), and how it gives it back (RFC 7009). */
export function deviceRoutes(
  { grants, signIns, exchange, decide, origin, letsDevicesIn }: DeviceParts,
  requireWholePerson: RequireWholePerson,
): readonly ApiRoute[] {
  function begin({
    body,
    headers,
    caller,
  }: ApiRequest<z.output<typeof deviceRequest>, undefined>): Reply<z.output<typeof deviceAnswer>> {
    if (!letsDevicesIn())
      throw new GateError('SIGN_IN_REFUSED', 'devices are not let in here: "device" is not in auth.mode')
    const label = (headers['user-agent'] ?? '').replace(/[^\x20-\x7e]/g, '').slice(0, LONGEST_LABEL)
    const begun = grants.begin({
      clientId: body.client_id || null,
      scope: body.scope ? scopesIn(body.scope).join(' ') : null,
      label,
      address: caller.address ?? 'socket',
    })
    if (begun.kind === 'full')
      throw new GateError('TOO_MANY_ATTEMPTS', 'too many devices wait to be let in; try again later', {
        retryAfterS: Math.ceil(begun.retryAfterMs / 1_000),
      })
    const uri = `${origin()}/device`
    return json({
      device_code: begun.deviceCode,
      user_code: begun.userCode,
      verification_uri: uri,
      verification_uri_complete: `${uri}?user_code=${begun.userCode}`,
      expires_in: DEVICE_CODE_LIFE_S,
      interval: POLL_INTERVAL_S,
    })
  }

  return [
    apiRoute({
      method: 'GET',
      path: '/.well-known/oauth-authorization-server',
      scope: 'public',
      summary: 'Tells clients where they sign in (RFC 8414)',
      answer: serverMetadata,
      handle: () => json(metadataOf(origin())),
    }),
    ...DEVICE_PATHS.map((path) =>
      apiRoute({
        method: 'POST',
        path,
        scope: 'public',
        summary: 'Begins to sign in on a device (RFC 8628)',
        takes: 'json or form',
        body: deviceRequest,
        answer: deviceAnswer,
        ...OAUTH,
        handle: begin,
      }),
    ),
    ...TOKEN_PATHS.map((path) =>
      apiRoute({
        method: 'POST',
        path,
        scope: 'public',
        summary: 'Exchanges a device code or a refresh token',
        takes: 'json or form',
        body: tokenRequestForm,
        answer: tokenAnswer,
        ...OAUTH,
        handle: ({ body }) => {
          const { status, body: answer } = exchange(body)
          return json(answer, { status, headers: { pragma: 'no-cache' } })
        },
      }),
    ),
    apiRoute({
      method: 'POST',
      path: REVOKE_PATH,
      scope: 'public',
      summary: 'Ends the sign-in that a token belongs to (RFC 7009)',
      takes: 'json or form',
      body: revokeRequest,
      answer: z.strictObject({}),
      ...OAUTH,
      handle: ({ body }) => {
        signIns.revokeToken(body.token ?? '')
        return json({})
      },
    }),
    apiRoute({
      method: 'GET',
      path: '/api/user/devices',
      scope: 'signed-in',
      summary: 'Lists the devices that you let in',
      answer: deviceList,
      handle: ({ principal }) =>
        json({ devices: principal.userId === null ? [] : signIns.list(principal.userId).map(shownDevice) }),
    }),
    apiRoute({
      method: 'POST',
      path: '/api/user/devices',
      scope: 'signed-in',
      summary: 'Lets a device in that shows a code, or refuses it',
      audit: 'device.decide',
      body: deviceDecision,
      answer: pendingDevice,
      handle: ({ principal, body }) => {
        const decided = decide(principal, body.user_code, body.decision)
        const change = { object: `device:${decided.label}`, new: { decision: body.decision, address: decided.address } }
        return json(pendingOf(decided), { change })
      },
    }),
    apiRoute({
      method: 'DELETE',
      path: '/api/user/devices/{id}',
      scope: 'signed-in',
      summary: 'Signs a device out that you let in',
      audit: 'device.revoke',
      answer: z.strictObject({}),
      handle: ({ principal, params: { id = '' } }) => {
        const { userId, credentialId } = principal
        if (userId === null || !signIns.list(userId).some((signIn) => signIn.id === id))
          throw new GateError('OBJECT_NOT_FOUND', 'you have let in no device of this id')
        if (credentialId !== id) requireWholePerson(principal) // a device may sign itself out
        signIns.end(id, userId)
        return json({}, { change: { object: `device:${id}` } })
      },
    }),
  ]
}

function pendingOf({ userCode, clientId, label, scope, address }: PendingDevice): z.input<typeof pendingDevice> {
  return { user_code: userCode, client_id: clientId, label, scope, address }
}

function metadataOf(issuer: string): z.input<typeof serverMetadata> {
  return {
    issuer,
    device_authorization_endpoint: `${issuer}${DEVICE_PATHS[0]}`,
    token_endpoint: `${issuer}${TOKEN_PATHS[0]}`,
    revocation_endpoint: `${issuer}${REVOKE_PATH}`,
    grant_types_supported: [DEVICE_CODE_GRANT, 'refresh_token'],
    response_types_supported: [],
    scopes_supported: [...SCOPES],
    token_endpoint_auth_methods_supported: ['none'],
  }
}

/** A device as the API shows it. */
export function shownDevice({
  id,
  label,
  clientId,
  scopes,
  createdAt,
  usedAt,
}: SignIn): z.input<typeof deviceList>['devices'][number] {
  return {
    id,
    label,
    client_id: clientId,
    scopes: scopes === null ? null : [...scopes],
    created_at: new Date(createdAt).toISOString(),
    used_at: new Date(usedAt).toISOString(),
  }
}
