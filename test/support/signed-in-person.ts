import { DEVICE_CODE_GRANT } from '../../schemas/words/sign-in.ts'
import type { Daemon } from './daemon.ts'
import { CLIENT_ID, CLIENT_SECRET, signInAt } from './identity-providers.ts'

/** Adds a provider to a daemon, and signs its first person in, who is an administrator. @returns the cookie of the session */
export async function signInFirst(daemon: Daemon, issuer: string, name: string): Promise<string> {
  return signInBy(daemon, await addProvider(daemon, issuer), name)
}

/** @param roles by the claim `groups`; left out: Gate's own @returns the id of the provider */
export async function addProvider(daemon: Daemon, issuer: string, roles?: object): Promise<string> {
  const idp = { name: 'One', issuer, client_id: CLIENT_ID, client_secret: CLIENT_SECRET, ...(roles && { roles }) }
  const headers = { authorization: `Bearer ${daemon.key}`, 'content-type': 'application/json' }
  const added = await fetch(`${daemon.url}/api/admin/idps`, { method: 'POST', headers, body: JSON.stringify(idp) })
  return ((await added.json()) as { id: string }).id
}

/** Signs a person in by a provider. @returns the cookie of the session */
export async function signInBy(daemon: Daemon, id: string, name: string): Promise<string> {
  const away = await fetch(`${daemon.url}/auth/login?provider=${id}`, { redirect: 'manual' })
  const back = await signInAt(away.headers.get('location') ?? '', `${daemon.url}/auth/callback`, name)
  const answer = await fetch(back, { redirect: 'manual', headers: { cookie: pairsOf(away).join('; ') } })
  return pairsOf(answer).find((pair) => pair.startsWith('se_session=')) ?? ''
}

/** A device asks, the person of a session lets it in, and it polls. @returns its tokens */
export async function letDeviceIn(
  daemon: Daemon,
  cookie: string,
  scope?: string,
): Promise<{ readonly access_token: string; readonly refresh_token: string }> {
  const post = async (path: string, fields: Record<string, string>) =>
    (await fetch(daemon.url + path, { method: 'POST', body: new URLSearchParams(fields) })).json()
  const asked = (await post('/auth/device', { client_id: 'a device', ...(scope !== undefined && { scope }) })) as {
    device_code: string
    user_code: string
  }
  await decideOnDevice(daemon, cookie, asked.user_code, 'approve')
  const poll = { grant_type: DEVICE_CODE_GRANT, device_code: asked.device_code, client_id: 'a device' }
  return (await post('/auth/device/token', poll)) as { access_token: string; refresh_token: string }
}

const pairsOf = (answer: Response): string[] => answer.headers.getSetCookie().map((set) => set.replace(/;.*/, ''))

/** The person decides on the device that shows a code. */
export function decideOnDevice(
  daemon: Daemon,
  cookie: string,
  userCode: string,
  decision: 'approve' | 'deny',
): Promise<Response> {
  const headers = { 'content-type': 'application/json', cookie, 'sec-fetch-site': 'same-origin' }
  const body = JSON.stringify({ user_code: userCode, decision })
  return fetch(`${daemon.url}/api/user/devices`, { method: 'POST', headers, body })
}
