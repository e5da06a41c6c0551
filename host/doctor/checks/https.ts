import { isEveryInterface, isLoopback, parseHostPort } from '../../../schemas/words/address.ts'
import { sh } from '../../../syntax/shell/print.ts'
import { inPool } from '../../../system/pool.ts'
import { type Greeting, greet } from '../../tls/handshake.ts'
import type { Check } from '../check.ts'
import { command, type Finding, fail, listed, ok, skip } from '../finding.ts'
import { tlsOf } from '../tls-view.ts'

export type HttpsFacts = {
  readonly answers: readonly {
    readonly url: string
    readonly name: string
    /** SHA-256 of the certificate that the daemon says it serves for the name, hexadecimal. */
    readonly expected: string
    readonly answer: Reply
  }[]
  /** URLs that the daemon listens on for TLS. */
  readonly listening: readonly string[]
  /** Whether there is any certificate; and a listener that other machines may reach. */
  readonly hasCertificate: boolean
  readonly isOutside: boolean
}
export type Reply =
  | { readonly kind: 'shown'; readonly sha256: string; readonly isForName: boolean }
  | { readonly kind: 'refused'; readonly message: string }

/** Listeners times names that are asked; a gateway has one or two of each. */
const MOST_ASKED = 24
const AT_A_TIME = 6

export const https: Check<HttpsFacts> = {
  name: 'https',
  summary: "whether the daemon's listeners answer over TLS, with the certificate of each name; from this host only",
  async observe({ daemon }, signal) {
    const [view, answer] = await Promise.all([tlsOf(daemon), daemon])
    const listening =
      view !== undefined && answer.kind === 'answers'
        ? answer.status.listen.filter((url) => url.startsWith('https:'))
        : []
    const served = (view?.status.certificates ?? []).flatMap(({ names, served }) =>
      served === undefined
        ? []
        : names.map((name) => ({ name: name.replace(/^\*/, 'gate-doctor'), expected: served.sha256 })),
    )
    const wanted = listening.flatMap((url) => served.map((one) => ({ url, ...one }))).slice(0, MOST_ASKED)
    const answers = await inPool(wanted, AT_A_TIME, async (one) => ({ ...one, answer: await reply(one, signal) }))
    const isOutside = listening.some((url) => !isLoopback(parseHostPort(new URL(url).host).host))
    return { answers, listening, hasCertificate: served.length > 0, isOutside }
  },
  judge({ answers, listening, hasCertificate, isOutside }) {
    if (listening.length === 0) return [ok('the daemon serves nothing over TLS itself')]
    if (!hasCertificate) {
      const why = 'there is no certificate, so that every handshake fails: see the line tls'
      return [fail(`${listed(listening)} refuses all clients`, why, command(sh`gatectl tls status`))]
    }
    const wrong = answers.flatMap(judgeReply)
    const right = `${answers.length} of ${answers.length} answer with the right certificate, from this host`
    const unknown = skip(
      'the way from outside',
      'whether firewalls and routers let clients through cannot be known here: gatectl tls check NAME on another machine',
    )
    return [...(wrong.length > 0 ? wrong : [ok(right)]), ...(isOutside ? [unknown] : [])]
  },
}

function judgeReply({ url, name, expected, answer }: HttpsFacts['answers'][number]): Finding[] {
  if (answer.kind === 'refused') {
    const fix = command(sh`gatectl logs --level warn`)
    return [fail(`${url} does not answer for ${name}`, answer.message, fix)]
  }
  if (answer.sha256 === expected) return []
  const other = answer.isForName ? 'another certificate for it' : 'a certificate of another name'
  const why = `it shows ${other}; another program may hold the port, or an older daemon: see the line ports`
  return [fail(`${url} does not show the certificate of ${name}`, why, command(sh`gatectl tls status`))]
}

async function reply(
  { url, name }: { readonly url: string; readonly name: string },
  signal: AbortSignal,
): Promise<Reply> {
  const { host, port = 443 } = parseHostPort(new URL(url).host)
  const local = isEveryInterface(host) ? (host.includes(':') ? '::1' : '127.0.0.1') : host
  const greeting = await greet({ host: local, port, name, alpn: ['h2', 'http/1.1'], trust: [] }, signal)
  return replyOf(greeting, name)
}

function replyOf(greeting: Greeting, name: string): Reply {
  if (greeting.kind === 'refused') return { kind: 'refused', message: greeting.message }
  const [leaf] = greeting.chain
  if (leaf === undefined) return { kind: 'refused', message: 'it shows no certificate' }
  return {
    kind: 'shown',
    sha256: leaf.fingerprint256.replaceAll(':', '').toLowerCase(),
    isForName: leaf.checkHost(name) !== undefined || leaf.checkIP(name) !== undefined,
  }
}
