import { connect } from 'node:tls'
import type { RelayStatus } from '../../../schemas/admin-relay.ts'
import { parseHostPort } from '../../../schemas/words/address.ts'
import { sh } from '../../../syntax/shell/print.ts'
import type { Check } from '../check.ts'
import { command, edit, type Finding, fail, listed, ok, skip, warn } from '../finding.ts'

export type RelayFacts =
  | { readonly kind: 'unknown' }
  | {
      readonly kind: 'known'
      readonly status: RelayStatus
      /** What a client on the Internet would meet: each name, asked for at a relay. */
      readonly reached: readonly { readonly name: string; readonly relay: string; readonly flaw: string | undefined }[]
    }

const REACH_MS = 5_000
/** Each is a connection through the Internet and back. */
const MOST_NAMES = 8

export const relay: Check<RelayFacts> = {
  name: 'relay',
  summary:
    'whether tunnels to relays are up, the gateway answers to its relayed names as from outside, and servers of `relay.backends` take connections',
  async observe({ daemon }, signal) {
    const view = await daemon
    const status = view.kind === 'answers' ? view.relay : undefined
    if (status === undefined) return { kind: 'unknown' }
    const [tunnel] = status.tunnels
    const names = tunnel === undefined ? [] : status.names.slice(0, MOST_NAMES)
    const reached = names.map(async ({ name }) => {
      const at = tunnel?.relay ?? ''
      return { name, relay: at, flaw: await flawOf(name, at, signal) }
    })
    return { kind: 'known', status, reached: await Promise.all(reached) }
  },
  judge(facts) {
    if (facts.kind === 'unknown') return [skip('relays', 'the daemon does not say')]
    const { status, reached } = facts
    if (!status.enabled) return [ok('no relay is used')]
    return [...judgeTunnels(status), ...reached.map(judgeName), ...judgeRest(status)]
  },
}

function judgeTunnels({ flaw, tunnels, failed }: RelayStatus): Finding[] {
  if (flaw !== undefined) return [fail('the gateway cannot use relays', flaw, command(sh`gatectl logs --level warn`))]
  const why = failed.map(({ relay: at, error }) => `${at}: ${error}`).join('; ')
  if (tunnels.length === 0)
    return [
      fail(
        'no tunnel to a relay is up',
        why === '' ? 'no client reaches the gateway through relays' : why,
        edit('relay.addresses', 'name a relay that answers, and let this host connect to it'),
      ),
    ]
  const up = ok(`tunnels to ${listed([...new Set(tunnels.map(({ relay: at }) => at))])}`)
  const relays = new Set(tunnels.map(({ relay_id: id }) => id))
  if (relays.size > 1 || failed.length === 0) return [up]
  return [
    up,
    warn('one relay alone is reached', why, edit('relay.addresses', 'name a second relay, or take out what is gone')),
  ]
}

function judgeName({ name, relay: at, flaw }: { name: string; relay: string; flaw: string | undefined }): Finding {
  if (flaw === undefined) return ok(`https://${name} answers through ${at}`)
  return fail(`https://${name} does not answer through ${at}`, flaw, command(sh`gatectl relay status`))
}

function judgeRest({ refused, backends, logs }: RelayStatus): Finding[] {
  return [
    ...backends.flatMap(({ names, address, error }) =>
      error === undefined
        ? []
        : [
            fail(
              `the server of ${listed(names)} does not answer`,
              `${address}: ${error}`,
              edit('relay.backends', 'start the server, or name where it listens, and let the gateway connect to it'),
            ),
          ],
    ),
    ...refused.map(({ name, result, detail }) =>
      warn(
        `the relay does not give the name ${name}`,
        detail ?? result,
        edit('relay.custom_domain or relay.names', 'name another one, or what the relay asks for'),
      ),
    ),
    ...(logs?.unknown ?? []).map(({ name, serial }) =>
      fail(
        `a certificate for ${name} is not from this gateway`,
        `logs have serial number ${serial}: who has its key can read what clients send`,
        edit('DNS', 'publish the CAA record of "gatectl relay status", and ask the CA to revoke that certificate'),
      ),
    ),
  ]
}

/** Does what a client does, at the relay. @returns undefined: it was answered, with a certificate for the name */
function flawOf(name: string, at: string, signal: AbortSignal): Promise<string | undefined> {
  const { host, port = 443 } = parseHostPort(at)
  const socket = connect({ host, port, servername: name, ALPNProtocols: ['http/1.1'] })
  return new Promise((resolve) => {
    const end = (flaw: string | undefined) => {
      clearTimeout(timer)
      socket.destroy()
      resolve(flaw)
    }
    const timer = setTimeout(() => end(`no answer within ${REACH_MS / 1_000} s`), REACH_MS)
    signal.addEventListener('abort', () => end('out of time'), { once: true })
    socket.once('error', (error) => end(error.message))
    socket.once('secureConnect', () => {
      socket.write(`GET /health HTTP/1.1\r\nHost: ${name}\r\nConnection: close\r\n\r\n`)
    })
    socket.once('data', (chunk) => {
      const line = String(chunk).split('\r\n', 1)[0] ?? ''
      end(/^HTTP\/1\.1 [2-4]/.test(line) ? undefined : `it answers ${line.slice(0, 60)}`)
    })
  })
}
