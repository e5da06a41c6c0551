import type { SpecPath } from '../../../schemas/spec/path.ts'
import { addressOf, hostPort } from '../../../schemas/words/address.ts'
import { composeText } from '../../../syntax/yaml/compose.ts'
import { type YamlMap, type YamlNode, yamlMap, yamlScalar } from '../../../syntax/yaml/print.ts'
import type { Finding } from '../../diagnostic.ts'
import type { Deployment } from '../../ir/deployment.ts'
import { withoutCa } from '../platform.ts'

type ComposeTls = {
  readonly ports: readonly YamlNode[]
  /** Certificates and keys of the host. */
  readonly volumes: readonly YamlNode[]
  readonly sysctls: YamlMap | undefined
}

/** The deployment as its container sees it: Compose publishes ports at the address that the spec names. */
export function insideContainer(deployment: Deployment): Deployment {
  const { gateway } = deployment
  const { tlsServing } = gateway
  if (tlsServing === undefined) return deployment
  return { ...deployment, gateway: { ...gateway, tlsServing: { ...tlsServing, host: undefined } } }
}

/** What a gateway that serves TLS in its container needs of the service. */
export function composeTls({ gateway: { tlsServing } }: Deployment): ComposeTls {
  if (tlsServing === undefined) return { ports: [], volumes: [], sysctls: undefined }
  const { host, httpsPort, httpPort, files, acme } = tlsServing
  const publish = (port: number, key: string) => {
    const outside = host === undefined ? String(port) : hostPort(addressOf(host) ?? host, port)
    return composeText(`${outside}:${port}`, ['gate', 'tls', key])
  }
  const read = [
    { path: files?.cert, at: ['files', 'cert'] },
    { path: files?.key, at: ['files', 'key'] },
    { path: acme?.ca, at: ['acme', 'ca'] },
  ]
  return {
    ports: [publish(httpsPort, 'https_port'), ...(httpPort === undefined ? [] : [publish(httpPort, 'http_port')])],
    volumes: read.flatMap(({ path, at }) => (path === undefined ? [] : [readOnly(path, ['gate', 'tls', ...at])])),
    // Docker's default, and not Podman's: the daemon has no capability
    sysctls: yamlMap({ 'net.ipv4.ip_unprivileged_port_start': composeText('0') }),
  }
}

/** In the form that takes a path as it is; in `source:target` a colon would end it. */
function readOnly(path: string, origin: SpecPath): YamlMap {
  const file = () => composeText(path)
  return yamlMap({ type: composeText('bind'), source: file(), target: file(), read_only: yamlScalar(true) }, origin)
}

export function composeTlsFindings(deployment: Deployment): Finding[] {
  const { tlsServing } = deployment.gateway
  const findings = withoutCa(deployment, 'compose')
  if (tlsServing === undefined) return findings
  const { host } = tlsServing
  if (host !== undefined && addressOf(host) === undefined)
    findings.push({
      code: 'NOT_AN_ADDRESS',
      path: ['gate', 'tls', 'host'],
      message: `Compose cannot publish a port on the name "${host}"`,
      hint: 'write an IP address, or remove it for every address',
    })
  return findings
}
