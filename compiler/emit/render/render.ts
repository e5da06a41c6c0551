import type { SpecPath } from '../../../schemas/spec/path.ts'
import { printYaml, type YamlNode, yamlList, yamlMap, yamlScalar, yamlText } from '../../../syntax/yaml/print.ts'
import type { Deployment } from '../../ir/deployment.ts'
import { daemonSettings } from '../daemon-settings/settings.ts'
import { variablesOf } from '../daemon-settings/variables.ts'
import { gatewayImage } from '../gateway-image.ts'
import { notExpressed, withoutBackends, withoutSystemd } from '../not-expressed.ts'
import type { Emission, EmitOptions } from '../output.ts'
import { platformTls, tlsFindings } from '../platform.ts'

const COMMENT = [
  'Made by gatectl from the spec; changes here are lost.',
  'Put it at the top of a Git repository and add that as a Blueprint; Render asks for the secrets.',
]

/** render.yaml, a Blueprint with one web service. @see https://render.com/docs/blueprint-spec */
export function emitRender(deployment: Deployment, options: EmitOptions): Emission {
  const { gateway, prefix } = deployment
  const settings = daemonSettings(
    platformTls(deployment),
    { host: '0.0.0.0', reach: () => undefined },
    options.settings,
  )
  const { image, findings } = gatewayImage(gateway, 'render')
  const variable = (key: string, value: string, origin?: SpecPath): YamlNode =>
    yamlMap({ key: yamlText(key), value: yamlText(value) }, origin)
  const source: Record<string, YamlNode> =
    image === undefined
      ? { runtime: yamlText('docker'), dockerfilePath: yamlText('./Dockerfile') }
      : { runtime: yamlText('image'), image: yamlMap({ url: yamlText(image) }, ['gate', 'image']) }
  const service = yamlMap({
    type: yamlText('web'),
    name: yamlText(prefix),
    ...source,
    plan: yamlText(planOf(gateway.memoryBytes), ['gate', 'memory']),
    numInstances: yamlScalar(1),
    healthCheckPath: yamlText('/health'),
    maxShutdownDelaySeconds: yamlScalar(60),
    disk: yamlMap({
      name: yamlText(`${prefix}-state`),
      mountPath: yamlText(gateway.stateDirectory),
      sizeGB: yamlScalar(1),
    }),
    envVars: yamlList([
      // where Render sends requests
      variable('PORT', String(gateway.port), ['gate', 'server', 'port']),
      variable('STATE_DIRECTORY', gateway.stateDirectory),
      ...variablesOf(settings.declared).map(({ name, value, origin }) => variable(name, value, origin)),
      ...settings.secrets.map(({ name, secret }) =>
        yamlMap({ key: yamlText(name), sync: yamlScalar(false) }, secret.origin),
      ),
    ]),
  })
  const root = yamlMap({ services: yamlList([service]) })
  return {
    files: [{ path: 'render/render.yaml', mode: 0o644, ...printYaml(COMMENT, root, ['gate']) }],
    findings: [
      ...findings,
      ...withoutSystemd('render', deployment),
      ...withoutBackends('render', deployment),
      ...settings.findings,
      ...tlsFindings(deployment, 'render'),
      notExpressed(
        ['gate'],
        'Render has no place for a file of the spec, so the gateway is configured by variables, which win over edits at runtime',
        'change the spec instead, or use the target fly or compose',
      ),
      notExpressed(
        ['gate', 'server', 'p2p_port'],
        'render forwards one port to the gateway, so peers can only reach it through a relay',
        'set [relay], or use the target fly',
      ),
    ],
  }
}

/** The smallest plan with this much memory. @see https://render.com/pricing */
function planOf(bytes: number): string {
  const plans = [
    [512, 'starter'],
    [2048, 'standard'],
    [4096, 'pro'],
    [8192, 'pro plus'],
    [16_384, 'pro max'],
  ] as const
  return plans.find(([mib]) => bytes <= mib * 2 ** 20)?.[1] ?? 'pro ultra'
}
