import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { isIP } from 'node:net'
import { hostPort } from '../../../schemas/words/address.ts'
import { spanText } from '../../../schemas/words/span.ts'
import { sh } from '../../../syntax/shell/print.ts'
import { command, edit, type Finding, fail, ok, skip, warn } from '../../doctor/finding.ts'
import { afterHandshake, type Site, type SiteCheck } from '../site.ts'

const DEADLINE_MS = 5_000
/** Tokens and certificates bear this much; `Date` has whole seconds. */
const MOST_OFFSET_MS = 5_000
const SHORTEST_HSTS_S = 86_400

/** What a request without a key is answered; its body is not read. */
type Answer = { readonly status: number; readonly headers: IncomingMessage['headers'] }

/** Asks for `/` as a browser would. @throws Error of the connection */
function ask({ name, host, port, httpPort }: Site, isTls: boolean, signal: AbortSignal): Promise<Answer> {
  const at = isTls ? port : (httpPort ?? 80)
  const isUsual = at === (isTls ? 443 : 80)
  const named = isUsual ? hostPort(name, at).replace(/:\d+$/, '') : hostPort(name, at)
  const options = { host, port: at, path: '/', headers: { host: named }, agent: false }
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(DEADLINE_MS)])
  const { promise, resolve, reject } = Promise.withResolvers<Answer>()
  const take = (response: IncomingMessage) => {
    resolve({ status: response.statusCode ?? 0, headers: response.headers })
    response.destroy()
  }
  const tls = { ...(isIP(name) === 0 && { servername: name }), rejectUnauthorized: false } // the chain has its own line
  const sent = isTls
    ? httpsRequest({ ...options, ...tls, signal: deadline }, take)
    : httpRequest({ ...options, signal: deadline }, take)
  sent.once('error', reject)
  sent.end()
  return promise
}

/** The answer, or the line that says why there is none. */
async function answerOf(site: Site, isTls: boolean, signal: AbortSignal): Promise<Answer | Finding> {
  try {
    return await ask(site, isTls, signal)
  } catch (error) {
    return skip(isTls ? 'HTTPS' : 'HTTP', `could not be looked at: ${error instanceof Error ? error.message : error}`)
  }
}

export const hsts = afterHandshake(
  'hsts',
  'whether browsers are told to use HTTPS alone (Strict-Transport-Security)',
  async (_agreed, site, signal) => {
    const answer = await answerOf(site, true, signal)
    if ('what' in answer) return [answer]
    return [judgeHsts(answer.headers['strict-transport-security'], isIP(site.name) !== 0)]
  },
)

function judgeHsts(header: string | undefined, isAddress: boolean): Finding {
  if (isAddress) return ok('addresses have none') // RFC 6797, 8.1.1
  const seconds = Number(/max-age="?(\d+)/i.exec(header ?? '')?.[1])
  if (header !== undefined && seconds >= SHORTEST_HSTS_S) return ok(header)
  const what = header === undefined ? 'no Strict-Transport-Security' : `Strict-Transport-Security: ${header}`
  const why = 'a browser that opens http:// once can be kept there by an attacker in between'
  return warn(what, why, command(sh`gatectl config set tls.hsts 365d`))
}

export const redirect: SiteCheck = {
  name: 'redirect',
  summary: 'whether port 80 redirects to HTTPS',
  async examine(site, signal) {
    if (site.httpPort === undefined) return []
    try {
      return [judgeRedirect(await ask(site, false, signal), site)]
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : ''
      const why = error instanceof Error ? error.message : String(error)
      if (code === 'ECONNREFUSED') return [ok(`nothing listens on port ${site.httpPort}: clients write https://`)]
      return [skip(`port ${site.httpPort}`, `could not be looked at: ${why}`)]
    }
  },
}

function judgeRedirect({ status, headers: { location } }: Answer, { name, httpPort }: Site): Finding {
  const target = URL.parse(location ?? '')
  if (status >= 300 && status < 400 && target?.protocol === 'https:') {
    if (target.hostname.replace(/^\[|\]$/g, '') === name) return ok(`port ${httpPort} redirects to ${location}`)
    const why = 'another name: clients then look for a certificate of that one'
    return warn(
      `port ${httpPort} redirects to ${location}`,
      why,
      command(sh`gatectl config set server.external_url ${`https://${name}`}`),
    )
  }
  // 421 and 404: it answers there, but not for this name
  if (status >= 400) return ok(`port ${httpPort} serves nothing (${status})`)
  const why = 'a request with a key would be sent in the clear'
  return fail(
    `port ${httpPort} answers with ${status} in place of a redirect`,
    why,
    edit('the server', 'redirect HTTP to HTTPS'),
  )
}

export const clock = afterHandshake(
  'clock',
  'whether the clocks of the server and of this host agree',
  async (_agreed, site, signal) => {
    const answer = await answerOf(site, true, signal)
    if ('what' in answer) return [answer]
    const dateMs = Date.parse(answer.headers.date ?? '')
    if (Number.isNaN(dateMs)) return [skip('the clock', 'the server does not say what time it is')]
    return [judgeClock(dateMs - site.now())]
  },
)

function judgeClock(aheadMs: number): Finding {
  if (Math.abs(aheadMs) <= MOST_OFFSET_MS) return ok('its clock and the one of this host agree')
  const what = `its clock is ${spanText(aheadMs)} ${aheadMs > 0 ? 'ahead of' : 'behind'} the one of this host`
  return warn(
    what,
    'one of the two is wrong: certificates and logins are refused because of it',
    command(sh`timedatectl`),
  )
}
