import type { SpecPath } from '../../../schemas/spec/path.ts'
import { addressOf, isLocalName } from '../../../schemas/words/address.ts'
import { LOCAL_ENGINES } from '../../../schemas/words/local-engines.ts'
import { isTree, type Tree, valueAt } from '../../../syntax/tree.ts'
import type { Finding } from '../../diagnostic.ts'
import type { Deployment } from '../../ir/deployment.ts'
import {
  dialledForCertificates,
  dialledForPeers,
  dialledForRelays,
  dialledForSignIn,
  dialledUpstreams,
} from './dialled.ts'

/** What the daemon may connect to over IP; 'any' when the spec says so. */
export type Egress = 'any' | LimitedEgress

export type LimitedEgress = {
  /** Single ports of addresses, which upstreams name. */
  readonly places: readonly Place[]
  /** Addresses and CIDR ranges that the spec opens. */
  readonly ranges: readonly { readonly origin: SpecPath; readonly range: string }[]
  /** What has it that every public address is open; undefined: nothing. */
  readonly internet: SpecPath | undefined
  /** What has names looked up; undefined: nothing. */
  readonly names: SpecPath | undefined
  /** The only name servers; empty: any. */
  readonly resolvers: readonly string[]
}

export type Place = { readonly origin: SpecPath; readonly address: string; readonly port: number }

const ALLOW: SpecPath = ['gate', 'network', 'allow']

export function egressOf(deployment: Deployment, settings: Tree): Egress {
  const { allow, resolvers } = deployment.gateway.network
  if (allow.includes('any')) return 'any'
  const targets = targetsOf(deployment, settings)
  const named = targets.filter(({ host }) => addressOf(host) === undefined)
  const asked = allow.includes('internet') ? ALLOW : undefined
  const told = toldPlace(deployment, settings)
  return {
    places: uniquePlaces([
      ...targets.flatMap(({ origin, host, port }) => addressesOf(host).map((address) => ({ origin, address, port }))),
      ...tcpBackends(deployment),
      ...searched(deployment, settings),
    ]),
    ranges: allow.flatMap((range) => (range === 'internet' ? [] : [{ origin: ALLOW, range }])),
    internet: asked ?? named.find(({ host }) => !isLocalName(host))?.origin ?? told,
    names: asked ?? named[0]?.origin ?? told,
    resolvers,
  }
}

/** Upstreams that the daemon will not reach, since nobody can say which address is behind their names. */
export function unknownAddresses(deployment: Deployment, settings: Tree): Finding[] {
  const egress = egressOf(deployment, settings)
  if (egress === 'any' || egress.ranges.length > 0) return []
  return targetsOf(deployment, settings).flatMap(({ origin, host }): Finding[] => {
    if (addressOf(host) !== undefined || !isLocalName(host)) return []
    const message = `"${host}" is a name of the local network, and the daemon may connect to no address that the spec does not name`
    const hint = 'write its address here, or its address or range in gate.network.allow, such as ["192.168.1.0/24"]'
    return [{ code: 'UNKNOWN_ADDRESS', severity: 'warning', path: origin, message, hint }]
  })
}

type Target = { readonly origin: SpecPath; readonly host: string; readonly port: number }

/** Hosts and ports as the daemon reads them in URLs: `127.1` is an address, and what it cannot read it does not dial. */
function targetsOf(deployment: Deployment, settings: Tree): Target[] {
  return [
    ...dialledUpstreams(deployment, settings),
    ...dialledForCertificates(deployment),
    ...dialledForRelays(deployment),
    ...dialledForPeers(deployment),
    ...dialledForSignIn(deployment),
    ...collector(deployment),
  ].flatMap((dialled) => {
    const url = dialled.kind === 'url' ? URL.parse(dialled.url) : null
    if (url === null) return []
    const usual = url.protocol === 'http:' ? 80 : 443
    return [{ origin: dialled.origin, host: url.hostname, port: url.port === '' ? usual : Number(url.port) }]
  })
}

/** Who is told of alarms and alerts. Their URLs are secrets, which the compiler does not have. */
function toldPlace({ gateway, alerts }: Deployment, settings: Tree): SpecPath | undefined {
  if (gateway.tlsServing?.webhook !== undefined) return ['gate', 'tls', 'alarm_webhook']
  const set = valueAt(settings, ['alerts'])
  const names = [...Object.keys(alerts), ...(isTree(set) ? Object.keys(set) : [])]
  const name = names.find((one) => (valueAt(settings, ['alerts', one, 'enabled']) ?? alerts[one]?.enabled) !== false)
  return name === undefined ? undefined : ['alerts', name, 'url']
}

/** Where telemetry goes. */
function collector({ gateway: { telemetry } }: Deployment) {
  if (telemetry.endpoint === undefined) return []
  return [{ kind: 'url', origin: ['gate', 'telemetry', 'endpoint'], url: telemetry.endpoint } as const]
}

/** `localhost` is looked up, and may be either. */
function addressesOf(host: string): string[] {
  const address = addressOf(host)
  if (address === undefined) return []
  return host === 'localhost' ? [address, '::1'] : [address]
}

function tcpBackends({ backends }: Deployment): Place[] {
  return backends.flatMap(({ origin, address, isUpstream }) => {
    if (!isUpstream || address.kind !== 'tcp') return []
    return addressesOf(address.host).map((host) => ({ origin, address: host, port: address.port }))
  })
}

/** Where the search for engines looks, when it is on. */
function searched({ gateway }: Deployment, settings: Tree): Place[] {
  const isOn = valueAt(settings, ['discovery', 'enabled']) ?? gateway.discovery.enabled
  const origin = ['gate', 'discovery', 'enabled']
  return isOn === true ? LOCAL_ENGINES.map(({ port }) => ({ origin, address: '127.0.0.1', port })) : []
}

function uniquePlaces(places: readonly Place[]): Place[] {
  return [
    ...new Map(places.toReversed().map((place) => [`${place.address} ${place.port}`, place])).values(),
  ].toReversed()
}
