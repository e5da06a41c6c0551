import { addressOf, hostPort } from '../../../schemas/words/address.ts'
import { composeText, composeTexts, composeVariable } from '../../../syntax/yaml/compose.ts'
import { type YamlMap, type YamlNode, yamlList, yamlMap, yamlScalar } from '../../../syntax/yaml/print.ts'
import type { Deployment } from '../../ir/deployment.ts'
import { gatewayNames } from '../../ir/names.ts'
import type { Container } from '../../ir/nodes/container.ts'
import type { Secret } from '../../ir/nodes/host.ts'
import type { DaemonSettings } from '../daemon-settings/settings.ts'
import { gatewayImage } from '../gateway-image.ts'
import { composeTls } from './tls.ts'

/** The service that runs the gateway. @param reachable containers that it can reach over a network */
export function composeGateway(
  deployment: Deployment,
  reachable: readonly Container[],
  settings: DaemonSettings,
): YamlMap {
  const { gateway, prefix } = deployment
  const shared = reachable.filter(({ network }) => network.kind === 'outbound' && network.hostPorts.length > 0)
  const host = addressOf(gateway.host) ?? gateway.host
  const publish = (port: number, inner: number, origin: readonly (string | number)[], on = host) =>
    composeText(`${hostPort(on, port)}:${inner}`, origin)
  const { image } = gatewayImage(gateway, 'compose')
  const tls = composeTls(deployment)
  return yamlMap(
    {
      image: composeText(image ?? `localhost/${prefix}:latest`, ['gate', 'image']),
      restart: composeText('unless-stopped'),
      read_only: yamlScalar(true),
      tmpfs: composeTexts(['/tmp']),
      cap_drop: composeTexts(['ALL']),
      sysctls: tls.sysctls,
      security_opt: composeTexts(['no-new-privileges:true']),
      mem_limit: composeText(`${gateway.memoryBytes}b`, ['gate', 'memory']),
      stop_grace_period: composeText('60s'),
      environment: yamlMap({
        STATE_DIRECTORY: composeText(gateway.stateDirectory),
        ...Object.fromEntries(settings.secrets.map(({ name, secret }) => secretEntry(name, secret))),
      }),
      secrets: optionalList(
        settings.secrets.flatMap(({ name, secret }) =>
          'env' in secret.source ? [] : [composeText(name, secret.origin)],
        ),
      ),
      volumes: yamlList([
        composeText(`${prefix}-state:${gateway.stateDirectory}`),
        // the daemon looks for it there unless told otherwise
        composeText(`./declared.json:${gatewayNames(undefined).declaredConfig}:ro`),
        ...tls.volumes,
      ]),
      ports: yamlList([
        publish(gateway.port, gateway.port, ['gate', 'server', 'port']),
        publish(gateway.p2pPort, gateway.p2pPort, ['gate', 'server', 'p2p_port']),
        ...tls.ports,
        ...shared.flatMap(({ origin, publish: ports }) =>
          ports.map(({ host: on, hostPort: port, containerPort }) =>
            publish(port, containerPort, [...origin, 'port'], on),
          ),
        ),
      ]),
      networks: composeTexts([
        'default',
        ...reachable.filter(({ network }) => network.kind !== 'outbound').map(({ unit }) => unit),
      ]),
      healthcheck: yamlMap({
        test: composeTexts(['CMD', 'node', '--eval', healthScript(gateway.port)]),
        interval: composeText('15s'),
        timeout: composeText('5s'),
        start_period: composeText('10s'),
        retries: yamlScalar(3),
      }),
    },
    ['gate'],
  )
}

/** The image holds Node anyway, and nothing else that could ask. */
function healthScript(port: number): string {
  return `fetch("http://127.0.0.1:${port}/health").then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))`
}

/** A secret of the daemon: a variable of the caller, or a file that Compose mounts. */
function secretEntry(name: string, { source, origin }: Secret): [string, YamlNode] {
  if ('env' in source) return [name, composeVariable(source.env, origin)]
  return [`${name}_FILE`, composeText(`/run/secrets/${name}`, origin)]
}

function optionalList(items: readonly YamlNode[]): YamlNode | undefined {
  return items.length === 0 ? undefined : yamlList(items)
}
