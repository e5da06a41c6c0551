import { pathText, type SpecPath } from '../../../schemas/spec/path.ts'
import { specSchema, type WrittenSpec } from '../../../schemas/spec/spec.ts'
import { camelCase } from '../../../schemas/words/key-names.ts'
import {
  type Attribute,
  boolean,
  from,
  integer,
  list,
  type Nix,
  number,
  printModule,
  set,
  str,
} from '../../../syntax/nix/print.ts'
import type { Finding } from '../../diagnostic.ts'
import type { Deployment } from '../../ir/deployment.ts'
import { holdsNames, metaAt } from '../../parse/schema-walk.ts'
import { emitCaddy } from '../caddy/caddy.ts'
import { emitClient } from '../client/client.ts'
import { emitDeclared } from '../declared/declared.ts'
import { emitDnsmasq } from '../dnsmasq/dnsmasq.ts'
import { emitNginx } from '../nginx/nginx.ts'
import { notExpressed } from '../not-expressed.ts'
import type { Emission, EmitOptions } from '../output.ts'
import { emitQuadlet } from '../quadlet/quadlet.ts'
import { systemUnits } from '../systemd/systemd.ts'

/**
 * The spec as options of Gate's NixOS modules, key by key in camelCase; `gate` and `gate.server` are laid open. The
 * module runs this compiler again when the host is built, so what it says about other targets is said here, too.
 */
export function emitNix(deployment: Deployment, options: EmitOptions): Emission {
  const { written, prefix } = deployment
  const instance = written.gate?.instance
  const gateway = ['services', 'gate-daemon', ...(instance === undefined ? [] : ['instances', instance])]
  const relays = Object.entries(written.relays ?? {})
  const module = printModule({
    origin: [],
    comment: [
      'Made by gatectl from the spec; changes here are lost.',
      "Import it into a NixOS configuration beside nixosModules.default of Gate's flake.",
    ],
    config: [
      { path: gateway, value: set([ENABLE, ...gatewayOptions(deployment)]) },
      ...(relays.length === 0 ? [] : [{ path: ['services', 'gate-relay'], value: relayOptions(written) }]),
    ],
  })
  return {
    files: [{ path: `nix/${prefix}.nix`, mode: 0o644, ...module }],
    findings: [
      ...findingsOfModule(deployment, options),
      ...storeSecrets(deployment),
      ...dnsChallenge(deployment),
      ...settingsFinding(options),
    ],
  }
}

const ENABLE: Attribute = { path: ['enable'], value: boolean(true) }

/**
 * Tables that have no option of their name. What is taken out of `gate` has no meaning on NixOS, which keeps
 * generations itself.
 */
type Elsewhere = 'defaults' | '$schema' | 'gate' | 'upstreams' | 'relays'

function gatewayOptions({ written, gateway, containers, users }: Deployment): Attribute[] {
  const {
    $schema: _schema,
    defaults: _defaults,
    gate = {},
    upstreams = {},
    relays: _relays,
    backends = {},
    ...tables
  } = written
  tables satisfies Omit<WrittenSpec, Elsewhere>
  const { instance: _instance, image: _image, keep_generations: _generations, server = {}, ...laidOpen } = gate
  // a port to be chosen was chosen
  const chosen = { port: gateway.port, p2p_port: gateway.p2pPort }
  const ports = Object.fromEntries(Object.entries(chosen).filter(([key]) => key in server))
  return [
    ...attributes(laidOpen, ['gate']),
    ...attributes({ ...server, ...ports }, ['gate', 'server']),
    ...initialUpstreams(upstreams),
    ...attributes(tables, []),
    ...(Object.keys(backends).length === 0 ? [] : [backendOptions(backends, { containers, users })]),
  ]
}

/** A list in the module, where each upstream has its name. */
function initialUpstreams(upstreams: NonNullable<WrittenSpec['upstreams']>): Attribute[] {
  const items = Object.entries(upstreams).map(([name, upstream]) => {
    const origin = ['upstreams', name]
    const own: Attribute = { path: ['name'], value: str(name), origin }
    return from(pathText(origin), set([own, ...attributes(upstream, origin)]))
  })
  return items.length === 0 ? [] : [{ path: ['initialUpstreams'], value: list(items), origin: ['upstreams'] }]
}

/** With the numbers that gate.lock.json keeps. */
function backendOptions(
  backends: NonNullable<WrittenSpec['backends']>,
  { containers, users }: Pick<Deployment, 'containers' | 'users'>,
): Attribute {
  const byOrigin = <T extends { readonly origin: SpecPath }>(nodes: readonly T[]) =>
    new Map(nodes.map((node) => [pathText(node.origin), node]))
  const userOf = byOrigin(users)
  const containerOf = byOrigin(containers)
  const entries = Object.entries(backends).map(([name, { image_archive: archive, ...backend }]): Attribute => {
    const origin = ['backends', name]
    const user = userOf.get(pathText(origin))
    const [published] = containerOf.get(pathText(origin))?.publish ?? []
    const port = published === undefined ? {} : { port: published.hostPort }
    const start = user?.subuid?.start
    const more: Attribute[] = [
      ...(start === undefined ? [] : [{ path: ['subIdStart'], value: integer(start), origin: [...origin, 'uid'] }]),
      ...(archive === undefined
        ? []
        : [{ path: ['imageFile'], value: str(archive), origin: [...origin, 'image_archive'] }]),
    ]
    return {
      path: [name],
      value: set([...attributes({ ...backend, uid: user?.uid, ...port }, origin), ...more]),
      origin,
    }
  })
  return { path: ['backends'], value: set(entries), origin: ['backends'] }
}

function relayOptions({ relays = {} }: WrittenSpec): Nix {
  const instances = Object.entries(relays).map(([name, relay]): Attribute => {
    const origin = ['relays', name]
    return { path: [name], value: set(attributes(relay, origin)), origin }
  })
  return set([ENABLE, { path: ['instances'], value: set(instances), origin: ['relays'] }])
}

/** The keys of a table of the spec as options. */
function attributes(table: Readonly<Record<string, unknown>>, at: SpecPath): Attribute[] {
  const isByName = holdsNames(at)
  return Object.entries(table).flatMap(([key, value]) => {
    const origin = [...at, key]
    if (value === undefined || isOutOfReach(value, origin)) return []
    return [{ path: [isByName ? key : camelCase(key)], value: nixValue(value, origin), origin }]
  })
}

/** A unit has no environment to take a secret from; the units of the module say so as a finding. */
function isOutOfReach(value: unknown, at: SpecPath): boolean {
  return metaAt(specSchema, at).isSecret && typeof value === 'object' && value !== null && 'env' in value
}

/** @throws TypeError for a value that no spec holds: a mistake in the compiler */
function nixValue(value: unknown, at: SpecPath): Nix {
  if (typeof value === 'string') return str(value)
  if (typeof value === 'boolean') return boolean(value)
  if (typeof value === 'number') return Number.isInteger(value) ? integer(value) : number(value)
  if (Array.isArray(value)) return list(value.map((item: unknown, i) => nixValue(item, [...at, i])))
  if (typeof value === 'object' && value !== null) return set(attributes({ ...value }, at))
  throw new TypeError(`${pathText(at)} cannot be written as a Nix value`)
}

/** What the module will say when the host is built. */
function findingsOfModule(deployment: Deployment, asked: EmitOptions): Finding[] {
  const options = { ...asked, systemd: Math.max(asked.systemd, OLDEST_SYSTEMD) }
  const { proxy, dns } = deployment
  return [
    ...emitDeclared(deployment, options).findings,
    ...emitClient(deployment).findings,
    ...emitQuadlet(deployment, options).findings,
    ...systemUnits(deployment, options).findings,
    ...(proxy.engine === 'nginx' ? emitNginx(deployment, options).findings : []),
    ...(proxy.engine === 'caddy' ? emitCaddy(deployment, options).findings : []),
    ...(dns === undefined ? [] : emitDnsmasq(deployment, options).findings),
  ]
}

/** Of NixOS 24.11, the first with all options that the module sets. */
const OLDEST_SYSTEMD = 256

/** security.acme can, once it knows a provider of DNS; the module asks by http-01. */
function dnsChallenge({ gateway: { tls }, proxy }: Deployment): Finding[] {
  if (proxy.engine !== 'nginx' || tls.kind !== 'acme' || tls.challenge !== 'dns-01') return []
  const message = 'the module knows no provider of DNS to prove control by'
  const hint = 'write "http-01", or set up security.acme.certs and name its files in gate.tls.files'
  return [{ code: 'NOT_EXPRESSIBLE', path: ['gate', 'tls', 'acme', 'challenge'], message, hint }]
}

function settingsFinding({ settings }: EmitOptions): Finding[] {
  if (Object.keys(settings).length === 0) return []
  const message = 'the module is made of the spec alone, without the settings'
  return [notExpressed([], message, 'write them as services.gate-daemon.settings beside it')]
}

/** The store is readable by every user on the host. */
function storeSecrets({ secrets, gateway }: Deployment): Finding[] {
  const files = secrets.flatMap(({ origin, source }) => ('file' in source ? [{ origin, file: source.file }] : []))
  if (gateway.tls.kind === 'files')
    files.push({ origin: [...gateway.origin, 'tls', 'files', 'key'], file: gateway.tls.key })
  return files
    .filter(({ file }) => file.startsWith('/nix/store/'))
    .map(({ origin, file }) => ({
      code: 'SECRET_IN_STORE',
      path: origin,
      message: `every user on the host can read ${file}`,
      hint: 'keep it outside the Nix store, for example with sops-nix or agenix, and name that path',
    }))
}
