import type { Daemon } from './daemon.ts'
import { CLIENT_ID, CLIENT_SECRET, signInAt } from './identity-providers.ts'

/** Adds a provider to a daemon, and signs its first person in, who is an administrator. @returns the cookie of the session */
export async function signInFirst(daemon: Daemon, issuer: string, name: string): Promise<string> {
  const idp = { name: 'One', issuer, client_id: CLIENT_ID, client_secret: CLIENT_SECRET }
  const headers = { authorization: `Bearer ${daemon.key}`, 'content-type': 'application/json' }
  const added = await fetch(`${daemon.url}/api/admin/idps`, { method: 'POST', headers, body: JSON.stringify(idp) })
  const { id } = (await added.json()) as { id: string }
  const away = await fetch(`${daemon.url}/auth/login?provider=${id}`, { redirect: 'manual' })
  const back = await signInAt(away.headers.get('location') ?? '', `${daemon.url}/auth/callback`, name)
  const answer = await fetch(back, { redirect: 'manual', headers: { cookie: pairsOf(away).join('; ') } })
  return pairsOf(answer).find((pair) => pair.startsWith('se_session=')) ?? ''
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
