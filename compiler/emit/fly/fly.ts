import { printJson } from '../../../syntax/json/print.ts'
import { printToml, type TomlTable } from '../../../syntax/toml/print.ts'
import type { Finding } from '../../diagnostic.ts'
import type { Deployment } from '../../ir/deployment.ts'
import { gatewayNames } from '../../ir/names.ts'
import { daemonSettings } from '../daemon-settings/settings.ts'
import { gatewayImage } from '../gateway-image.ts'
import { withoutBackends, withoutSystemd } from '../not-expressed.ts'
import type { Emission, EmitOptions } from '../output.ts'
import { platformTls, tlsFindings } from '../platform.ts'

/** fly.toml of the gateway. @see https://fly.io/docs/reference/configuration/ */
export function emitFly(deployment: Deployment, options: EmitOptions): Emission {
  const { gateway, prefix } = deployment
  const settings = daemonSettings(
    platformTls(deployment),
    { host: '0.0.0.0', reach: () => undefined },
    options.settings,
  )
  const { image, findings } = gatewayImage(gateway, 'fly')
  const at = (...keys: readonly string[]) => ['gate', ...keys]
  const tables: TomlTable[] = [
    {
      path: [],
      entries: [
        { key: 'app', value: prefix, origin: at('instance') },
        { key: 'kill_signal', value: 'SIGTERM' },
        // the daemon finishes requests in flight; fly waits 300 s at most
        { key: 'kill_timeout', value: '60s' },
      ],
    },
    ...(image === undefined
      ? []
      : [{ path: ['build'], entries: [{ key: 'image', value: image, origin: at('image') }] }]),
    {
      path: ['env'],
      entries: [{ key: 'STATE_DIRECTORY', value: gateway.stateDirectory }],
    },
    {
      path: ['files'],
      isElement: true,
      entries: [
        // the daemon looks for it there unless told otherwise
        { key: 'guest_path', value: gatewayNames(undefined).declaredConfig },
        { key: 'local_path', value: 'declared.json' },
      ],
    },
    {
      path: ['http_service'],
      entries: [
        { key: 'internal_port', value: gateway.port, origin: at('server', 'port') },
        { key: 'force_https', value: true },
        { key: 'auto_stop_machines', value: 'off' },
        { key: 'min_machines_running', value: 1 },
      ],
    },
    {
      path: ['http_service', 'concurrency'],
      entries: [
        { key: 'type', value: 'requests' },
        { key: 'hard_limit', value: gateway.maxConcurrent, origin: at('server', 'max_concurrent') },
        {
          key: 'soft_limit',
          value: Math.max(1, Math.floor(gateway.maxConcurrent * 0.8)),
          origin: at('server', 'max_concurrent'),
        },
      ],
    },
    {
      path: ['http_service', 'checks'],
      isElement: true,
      entries: [
        { key: 'grace_period', value: '10s' },
        { key: 'interval', value: '15s' },
        { key: 'method', value: 'GET' },
        { key: 'path', value: '/health' },
        { key: 'timeout', value: '5s' },
      ],
    },
    {
      path: ['services'],
      isElement: true,
      entries: [
        { key: 'protocol', value: 'tcp' },
        { key: 'internal_port', value: gateway.p2pPort, origin: at('server', 'p2p_port') },
      ],
    },
    {
      path: ['services', 'ports'],
      isElement: true,
      entries: [{ key: 'port', value: gateway.p2pPort, origin: at('server', 'p2p_port') }],
    },
    {
      path: ['mounts'],
      isElement: true,
      entries: [
        { key: 'source', value: `${prefix.replaceAll('-', '_')}_state` },
        { key: 'destination', value: gateway.stateDirectory },
      ],
    },
    {
      path: ['vm'],
      isElement: true,
      entries: [{ key: 'memory', value: `${machineMib(gateway.memoryBytes)}mb`, origin: at('memory') }],
    },
  ]
  const comment = [
    'Made by gatectl from the spec; changes here are lost. "fly deploy" beside this file; names of apps are unique on fly.',
    ...settings.secrets.map(({ name }) => `fly secrets set ${name}=…`),
  ]
  const all: Finding[] = [
    ...findings,
    ...withoutSystemd('fly', deployment),
    ...withoutBackends('fly', deployment),
    ...settings.findings,
    ...tlsFindings(deployment, 'fly'),
  ]
  return {
    files: [
      { path: 'fly/fly.toml', mode: 0o644, ...printToml({ comment, tables }, ['gate']) },
      { path: 'fly/declared.json', mode: 0o644, ...printJson(settings.declared) },
    ],
    findings: all,
  }
}

/** Machines come in steps of 256 MiB. */
function machineMib(bytes: number): number {
  return Math.ceil(bytes / 2 ** 28) * 256
}
