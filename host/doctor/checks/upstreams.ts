import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { canonicalHost, parseHostPort } from '../../../schemas/words/address.ts'
import { baseUrlOf } from '../../../schemas/words/providers.ts'
import { sh } from '../../../syntax/shell/print.ts'
import { inPool } from '../../../system/pool.ts'
import type { Check, DaemonView, Subject } from '../check.ts'
import { command, edit, type Finding, type Fix, fail, ok } from '../finding.ts'

export type UpstreamFacts = {
  readonly upstreams: readonly {
    readonly name: string
    readonly url: string
    /** Of our own connection, without any key. */
    readonly reached: Reached
    /** What the running daemon says about it. */
    readonly daemon: { readonly state: string; readonly lastError: string | undefined } | undefined
  }[]
}
export type Reached =
  | { readonly kind: 'yes' }
  | { readonly kind: 'no'; readonly code: string; readonly message: string }

const CONNECT_TIMEOUT_MS = 4_000
/** Upstreams that are asked at the same time. */
const CONCURRENCY = 16

export const upstreams: Check<UpstreamFacts> = {
  name: 'upstreams',
  summary:
    'whether each upstream can be reached (TCP and TLS, no key is sent), and what the running daemon says about it',
  async observe(subject, signal) {
    const view = await subject.daemon
    const wanted = [...upstreamUrls(subject, view)]
    const upstreams = await inPool(wanted, CONCURRENCY, async ([name, url]) => {
      return { name, url, reached: await reach(url, signal), daemon: daemonsWord(name, view) }
    })
    return { upstreams: upstreams.sort((a, b) => (a.name < b.name ? -1 : 1)) }
  },
  judge({ upstreams: all }) {
    if (all.length === 0) return [ok('none is configured')]
    return all.map(judgeOne)
  },
}

function judgeOne({ name, url, reached, daemon }: UpstreamFacts['upstreams'][number]): Finding {
  const { host, hostname } = new URL(url)
  if (reached.kind === 'no')
    return fail(`${name} (${host}) cannot be reached`, reached.message, fixFor(reached.code, host, hostname))
  if (daemon?.state === 'down') {
    const why = `${daemon.lastError ?? 'no reason given'}; a connection of gatectl's own succeeds`
    if (why.includes('gate.network.allow')) {
      const what = `let the daemon connect to ${hostname} in gate.network.allow, or name the upstream there; then gatectl apply`
      return fail(`${name} (${host}) is down for the daemon`, why, edit('the spec', what))
    }
    const isKey = /\b40[13]\b|key|unauthori/i.test(why)
    return fail(
      `${name} (${host}) is down for the daemon`,
      why,
      isKey
        ? command(sh`gatectl config set ${`upstreams.${name}.api_key`} --file KEYFILE`)
        : command(sh`gatectl logs --level warn`),
    )
  }
  return ok(`${name} (${host}) can be reached`)
}

function fixFor(code: string, host: string, hostname: string): Fix {
  const { port = 443 } = parseHostPort(host)
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return command(sh`getent ahosts ${hostname}`)
  if (/CERT|SELF_SIGNED|UNABLE_TO|ERR_TLS/.test(code))
    return command(sh`apt-get install --reinstall ca-certificates && update-ca-certificates`)
  if (code === 'ECONNREFUSED')
    return edit(`the machine ${hostname}`, `start what should listen on port ${port}, or correct base_url`)
  return command(sh`curl --verbose --head --max-time 10 ${`https://${host}`}`)
}

/**
 * Of the spec and of the daemon's configuration; engines on Unix sockets would be started by a connection, so they are
 * left out.
 */
function upstreamUrls({ deployment }: Subject, view: DaemonView): Map<string, string> {
  const urls = new Map<string, string>()
  for (const { name, enabled, provider, baseUrl } of deployment?.upstreams ?? [])
    if (enabled && provider !== 'echo' && baseUrl?.startsWith('gate:') !== true)
      urls.set(name, baseUrlOf(name, { provider, base_url: baseUrl }))
  if (view.kind === 'answers')
    for (const [name, url] of Object.entries(view.baseUrls)) if (!url.startsWith('gate:')) urls.set(name, url)
  return urls
}

function daemonsWord(name: string, view: DaemonView): UpstreamFacts['upstreams'][number]['daemon'] {
  if (view.kind === 'silent') return undefined
  const found = view.status.upstreams.find((upstream) => upstream.name === name)
  return found === undefined ? undefined : { state: found.state, lastError: found.last_error }
}

/** Connects, and for https: checks the certificate. Sends nothing but that. */
export function reach(text: string, signal: AbortSignal): Promise<Reached> {
  const { protocol, hostname, port } = new URL(text)
  const isTls = protocol === 'https:'
  const host = canonicalHost(hostname)
  const to = { host, port: Number(port === '' ? (isTls ? 443 : 80) : port) }
  const socket: Socket = isTls
    ? connectTls({ ...to, ...(isIP(host) === 0 ? { servername: host } : {}) })
    : connectTcp(to)
  return new Promise((resolve) => {
    const end = (reached: Reached) => {
      clearTimeout(timer)
      socket.destroy()
      resolve(reached)
    }
    const timer = setTimeout(
      () => end({ kind: 'no', code: 'ETIMEDOUT', message: `no connection within ${CONNECT_TIMEOUT_MS / 1_000} s` }),
      CONNECT_TIMEOUT_MS,
    )
    signal.addEventListener('abort', () => end({ kind: 'no', code: 'ETIMEDOUT', message: 'out of time' }), {
      once: true,
    })
    socket.once(isTls ? 'secureConnect' : 'connect', () => end({ kind: 'yes' }))
    socket.once('error', (error: NodeJS.ErrnoException) =>
      end({ kind: 'no', code: error.code ?? '', message: error.message }),
    )
  })
}
