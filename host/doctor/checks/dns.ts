import { Resolver } from 'node:dns/promises'
import { isIP } from 'node:net'
import { networkInterfaces } from 'node:os'
import type { Deployment } from '../../../compiler/ir/deployment.ts'
import { canonicalHost, isLoopback } from '../../../schemas/words/address.ts'
import { sh } from '../../../syntax/shell/print.ts'
import { NOT_THERE } from '../../program.ts'
import type { Check, TlsView } from '../check.ts'
import { command, edit, type Finding, fail, listed, ok, skip, warn } from '../finding.ts'
import { runProgram, textOf } from '../look.ts'
import { textIn, tlsOf } from '../tls-view.ts'

export type DnsFacts = {
  readonly servers: readonly { readonly address: string; readonly answers: boolean }[]
  readonly names: readonly {
    readonly name: string
    /** Empty: the name does not resolve. undefined: could not be asked. */
    readonly addresses: readonly string[] | undefined
  }[]
  /** Addresses of this host. */
  readonly own: readonly string[]
  /** Whether certificates come from a CA that asks for the names over the internet. */
  readonly isPublic: boolean
}

const QUERY_TIMEOUT_MS = 2_000

export const dns: Check<DnsFacts> = {
  name: 'dns',
  summary: "whether the name servers answer, and the domain's names point to this host",
  async observe({ deployment, daemon }, signal) {
    const names = [...new Set([...namesOf(deployment), ...daemonsNames(await tlsOf(daemon))])]
    const servers = parseResolvConf(await textOf('/etc/resolv.conf'))
    return {
      servers: await Promise.all(
        servers.map(async (address) => ({ address, answers: await answers(address, signal) })),
      ),
      names: await Promise.all(names.map(async (name) => ({ name, addresses: await addressesOf(name, signal) }))),
      own: Object.values(networkInterfaces()).flatMap((addresses) => (addresses ?? []).map(({ address }) => address)),
      isPublic: deployment?.gateway.tls.kind === 'acme',
    }
  },
  judge: ({ servers, names, own, isPublic }) => [
    ...judgeServers(servers),
    ...names.flatMap((name) => judgeName(name, own, isPublic)),
  ],
}

function namesOf(deployment: Deployment | undefined): readonly string[] {
  if (deployment === undefined) return []
  const { domain, vhosts, gateway } = deployment
  const certified = gateway.tls.kind === 'acme' ? gateway.tls.domains : []
  return [domain ?? [], vhosts.map(({ host }) => host), certified.filter(isAsked)].flat()
}

/** What it is certified for, and what its links start with. */
function daemonsNames(tls: TlsView | undefined): readonly string[] {
  if (tls === undefined) return []
  const external = URL.parse(textIn(tls, 'server.external_url') ?? '')
  const certified = tls.status.certificates.flatMap(({ names }) => names)
  return [...certified, ...(external === null ? [] : [canonicalHost(external.hostname)])].filter(isAsked)
}

/** A wildcard is no name that resolves, an address is none that needs to. */
const isAsked = (name: string): boolean => !name.startsWith('*.') && isIP(name) === 0

function judgeServers(servers: DnsFacts['servers']): Finding[] {
  const edited = edit('/etc/resolv.conf', 'name a server that answers: nameserver ADDRESS')
  if (servers.length === 0)
    return [warn('/etc/resolv.conf names no server', 'upstreams with a name cannot be reached', edited)]
  const silent = servers.filter((server) => !server.answers).map(({ address }) => address)
  if (silent.length === 0) return [ok(`${listed(servers.map(({ address }) => address))}: answer`)]
  const what = `no answer from the name server ${listed(silent)}`
  if (silent.length < servers.length)
    return [warn(what, 'each lookup waits some seconds for it before the next one is asked', edited)]
  return [
    fail(
      what,
      'upstreams with a name cannot be reached, images cannot be pulled',
      silent.includes('127.0.0.53') ? command(sh`systemctl restart systemd-resolved`) : edited,
    ),
  ]
}

function judgeName(
  { name, addresses }: DnsFacts['names'][number],
  own: readonly string[],
  isPublic: boolean,
): Finding[] {
  if (addresses === undefined) return [skip(name, 'getent is missing, so names cannot be looked up')]
  if (addresses.length === 0) {
    const why = isPublic ? 'no certificate can be issued, and no client finds it' : 'clients do not find it'
    return [fail(`${name} does not resolve`, why, edit(`the DNS zone of ${name}`, `${name}. A ${publicAddress(own)}`))]
  }
  if (addresses.some((address) => own.includes(address)))
    return [ok(`${name} points to this host (${listed(addresses)})`)]
  const why = `this host has ${listed(own.filter((address) => !isOnlyHere(address)))}; this is fine behind a router that forwards the ports`
  return [
    warn(
      `${name} points to ${listed(addresses)}, which is not an address of this host`,
      why,
      edit(`the DNS zone of ${name}`, `${name}. A ${publicAddress(own)}, unless a router or relay is in between`),
    ),
  ]
}

/** No other machine can be told to use this address. */
const isOnlyHere = (address: string): boolean => isLoopback(address) || address.startsWith('fe80:')
const publicAddress = (own: readonly string[]): string => own.find((address) => !isOnlyHere(address)) ?? 'ADDRESS'

/** @see resolv.conf(5): the resolver uses the first three */
export function parseResolvConf(text: string): string[] {
  return [...text.matchAll(/^\s*nameserver\s+(\S+)/gm)].map(([, address = '']) => address).slice(0, 3)
}

/** Any answer counts, also "there is no such name". */
async function answers(server: string, signal: AbortSignal): Promise<boolean> {
  const resolver = new Resolver({ timeout: QUERY_TIMEOUT_MS, tries: 2 })
  const cancel = () => resolver.cancel()
  signal.addEventListener('abort', cancel, { once: true })
  try {
    resolver.setServers([server.includes(':') ? `[${server.replace(/%.*/, '')}]` : server])
    await resolver.resolve4('gate-doctor.invalid') // RFC 6761: no such name, and a resolver may say so on its own
    return true
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    return !['ETIMEOUT', 'ECONNREFUSED', 'ECANCELLED', 'ERR_INVALID_IP_ADDRESS'].includes(code)
  } finally {
    signal.removeEventListener('abort', cancel)
  }
}

/**
 * As programs of this host resolve it, /etc/hosts included: by getent(1), which, unlike our own thread, can be killed.
 */
export async function addressesOf(name: string, signal: AbortSignal): Promise<readonly string[] | undefined> {
  const ran = await runProgram(['getent', 'ahosts', name], signal)
  if (ran.code === NOT_THERE) return undefined
  return [...new Set(ran.stdout.split('\n').flatMap((line) => /^(\S+)\s+STREAM/.exec(line)?.[1] ?? []))]
}
