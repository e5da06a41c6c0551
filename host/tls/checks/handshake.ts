import { sh } from '../../../syntax/shell/print.ts'
import { command, edit, type Finding, type Fix, fail, ok, warn } from '../../doctor/finding.ts'
import { type Greeting, greet } from '../handshake.ts'
import { afterHandshake, type Site, type SiteCheck } from '../site.ts'

export const handshake: SiteCheck = {
  name: 'handshake',
  summary: 'whether something answers there and speaks TLS',
  async examine(site) {
    return [judgeGreeting(await site.greeting, site)]
  },
}

function judgeGreeting(greeting: Greeting, { name, host, port }: Site): Finding {
  const place = `${name}, port ${port}`
  if (greeting.kind === 'agreed') {
    const { version, cipher, alpn = 'no ALPN', remote } = greeting
    return ok(`${place} (${remote}): ${version}, ${cipher}, ${alpn}`)
  }
  const { stage, code, message } = greeting
  if (stage === 'connect') return fail(`${place} cannot be reached`, message, reachFix(code, host, port))
  return fail(`${place} answers, but agrees on nothing`, `${message}\n${refusalOf(message)}`, handshakeFix(name))
}

function reachFix(code: string, host: string, port: number): Fix {
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return command(sh`getent ahosts ${host}`)
  if (code === 'ECONNREFUSED')
    return edit('the host that it points to', `let something listen on port ${port}: gatectl doctor on the gateway`)
  return edit('the firewall or router in between', `let TCP port ${port} through`)
}

/** What an alert means here. @see RFC 8446 section 6.2 */
function refusalOf(message: string): string {
  if (/unrecognized.name/i.test(message)) return 'it has no certificate for this name'
  if (/wrong version number|packet length|http request/i.test(message))
    return 'it speaks something else there, such as plain HTTP'
  if (/internal error/i.test(message)) return 'it has no certificate yet, or cannot use it'
  return 'a gateway without a certificate yet closes connections so'
}

const handshakeFix = (name: string): Fix =>
  edit('the gateway', `gatectl tls status there says what is served for ${name}`)

export const versions: SiteCheck = afterHandshake(
  'versions',
  'whether TLS 1.0 and 1.1 are refused',
  async (_agreed, { host, port, name, trust }, signal) => {
    const greeting = await greet({ host, port, name, alpn: [], trust, isLegacy: true }, signal)
    if (greeting.kind === 'refused') return [ok('TLS 1.0 and 1.1 are refused')]
    const why = 'they have been deprecated since 2021 (RFC 8996)'
    return [warn(`${greeting.version} is accepted`, why, edit('the server', 'allow TLS 1.2 and 1.3 only'))]
  },
)

export const alpn: SiteCheck = afterHandshake(
  'alpn',
  'whether HTTP/2 and HTTP/1.1 are spoken',
  async (agreed, { host, port, name, trust }, signal) => {
    const greeting = await greet({ host, port, name, alpn: ['http/1.1'], trust }, signal)
    const isOld = greeting.kind === 'agreed' && greeting.alpn === 'http/1.1'
    const spoken = [...(agreed.alpn === 'h2' ? ['h2'] : []), ...(isOld ? ['http/1.1'] : [])]
    if (spoken.length === 2) return [ok('h2 and http/1.1')]
    if (spoken.length === 1) return [ok(`${spoken.join()} alone`)]
    const why = 'it agrees on no protocol with a client that speaks HTTP'
    return [warn('no ALPN', why, edit('the server', 'offer h2 and http/1.1'))]
  },
)
