import { setTimeout as wait } from 'node:timers/promises'
import { failure } from '../failure.ts'
import type { GatewayCredential } from './credentials.ts'
import { jsonOf, sendHttps, unreachable } from './https.ts'

const DEVICE_CODE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code'
const CLIENT_ID = 'gatectl'
/** RFC 8628 section 3.2 and 3.5, in seconds. */
const DEFAULT_INTERVAL_S = 5
const SLOWER_S = 5
/** What is refreshed before it expires, so that it holds until a request arrives. */
const EARLY_MS = 60_000

type Endpoints = { readonly device: string; readonly token: string; readonly revocation: string }

/** What is shown to the person who has to let gatectl in. */
export type DevicePrompt = { readonly userCode: string; readonly uri: string; readonly completeUri: string }

/**
 * Signs in to a gateway by the device flow (RFC 8628).
 * @param show tells the person where to enter which code
 * @throws Failure NO_GATEWAY, SIGN_IN_FAILED
 */
export async function signIn(
  gateway: string,
  ca: string | undefined,
  show: (prompt: DevicePrompt) => void,
  now: () => number,
): Promise<GatewayCredential> {
  const endpoints = await endpointsOf(gateway, ca)
  const begun = await post(endpoints.device, { client_id: CLIENT_ID }, ca)
  const {
    device_code: code,
    user_code: userCode,
    verification_uri: uri,
    verification_uri_complete: complete,
  } = begun.body
  if (begun.status !== 200 || typeof code !== 'string' || typeof userCode !== 'string' || typeof uri !== 'string')
    throw failure('SIGN_IN_FAILED', `${gateway}: ${reasonOf(begun.body)}`, {
      hint: 'on its host, such as: gatectl config set auth.mode \'["token","device","password"]\', then restart it',
    })
  show({ userCode, uri, completeUri: typeof complete === 'string' ? complete : uri })
  const endsAt = now() + 1_000 * numberOf(begun.body['expires_in'], 600)
  let intervalS = numberOf(begun.body['interval'], DEFAULT_INTERVAL_S)
  while (now() < endsAt) {
    await wait(1_000 * intervalS)
    const { status, body } = await post(
      endpoints.token,
      { grant_type: DEVICE_CODE_GRANT, device_code: code, client_id: CLIENT_ID },
      ca,
    )
    if (status === 200) return credentialOf(gateway, body, endpoints, ca, now)
    if (body['error'] === 'slow_down') intervalS += SLOWER_S
    else if (body['error'] !== 'authorization_pending')
      throw failure('SIGN_IN_FAILED', `${gateway}: ${reasonOf(body)}`, { hint: 'begin again: gatectl login' })
  }
  throw failure('SIGN_IN_FAILED', `${gateway}: the code has expired`, { hint: 'begin again: gatectl login' })
}

/** Whether an access token counts for the next request. */
export const isFresh = ({ expires_at }: GatewayCredential, now: () => number): boolean => expires_at - EARLY_MS > now()

/** Gets new tokens. @returns null when the sign-in has ended @throws Failure NO_GATEWAY */
export async function refreshed(
  gateway: string,
  credential: GatewayCredential,
  now: () => number,
): Promise<GatewayCredential | null> {
  const { refresh_token, token_endpoint: token, revocation_endpoint: revocation, ca, account } = credential
  const { status, body } = await post(token, { grant_type: 'refresh_token', refresh_token, client_id: CLIENT_ID }, ca)
  if (body['error'] === 'invalid_grant') return null
  if (status !== 200) throw failure('NO_GATEWAY', `${gateway}: ${reasonOf(body)}`)
  return { ...credentialOf(gateway, body, { device: '', token, revocation }, ca, now), account }
}

/** Gives the tokens back. @throws Failure NO_GATEWAY */
export async function revoke({ revocation_endpoint, refresh_token, ca }: GatewayCredential): Promise<void> {
  await post(revocation_endpoint, { token: refresh_token, token_type_hint: 'refresh_token' }, ca)
}

/** RFC 8414: endpoints of this very gateway, and of no other. @throws Failure NO_GATEWAY */
async function endpointsOf(gateway: string, ca: string | undefined): Promise<Endpoints> {
  const url = `${gateway}/.well-known/oauth-authorization-server`
  const response = await sendHttps(url, { method: 'GET', headers: { accept: 'application/json' }, ca }).catch(
    (error: unknown) => unreachable(gateway, error),
  )
  const metadata = await jsonOf(response)
  const own = (name: string, path: string) => {
    const value = metadata?.[name]
    const at = typeof value === 'string' ? URL.parse(value) : null
    return at?.origin === gateway ? at.href : `${gateway}${path}`
  }
  if (response.statusCode !== 200 || metadata === null)
    throw failure('NO_GATEWAY', `${gateway} answers, but not as a gateway does (${response.statusCode})`, {
      hint: 'check the address',
    })
  return {
    device: own('device_authorization_endpoint', '/auth/device'),
    token: own('token_endpoint', '/auth/device/token'),
    revocation: own('revocation_endpoint', '/auth/revoke'),
  }
}

async function post(url: string, form: Readonly<Record<string, string>>, ca: string | undefined) {
  const headers = {
    'content-type': 'application/x-www-form-urlencoded',
    accept: 'application/json',
    'user-agent': 'gatectl',
  }
  const text = new URLSearchParams(form).toString()
  const response = await sendHttps(url, { method: 'POST', headers, text, ca }).catch((error: unknown) =>
    unreachable(new URL(url).origin, error),
  )
  return { status: response.statusCode ?? 0, body: (await jsonOf(response)) ?? {} }
}

function credentialOf(
  gateway: string,
  body: Readonly<Record<string, unknown>>,
  { token, revocation }: Endpoints,
  ca: string | undefined,
  now: () => number,
): GatewayCredential {
  const { access_token, refresh_token, expires_in, email } = body
  if (typeof access_token !== 'string' || typeof refresh_token !== 'string')
    throw failure('BAD_ANSWER', `${gateway} has sent no tokens`, { hint: 'check the address' })
  return {
    access_token,
    refresh_token,
    expires_at: now() + 1_000 * numberOf(expires_in, 3_600),
    token_endpoint: token,
    revocation_endpoint: revocation,
    account: typeof email === 'string' ? email : '',
    ...(ca !== undefined && { ca }),
  }
}

const numberOf = (value: unknown, otherwise: number): number =>
  typeof value === 'number' && value > 0 && value < 86_400 ? value : otherwise

function reasonOf(body: Readonly<Record<string, unknown>>): string {
  const said = [body['error_description'], body['detail'], body['error']].find((text) => typeof text === 'string')
  return typeof said === 'string' ? said.slice(0, 300) : 'its answer cannot be understood'
}
