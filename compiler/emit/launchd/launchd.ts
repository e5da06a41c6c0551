import { printJson } from '../../../syntax/json/print.ts'
import {
  type PlistNode,
  plistArray,
  plistBoolean,
  plistDict,
  plistInteger,
  plistString,
  printPlist,
} from '../../../syntax/plist/print.ts'
import type { Finding } from '../../diagnostic.ts'
import type { Deployment } from '../../ir/deployment.ts'
import { launchdNames } from '../../ir/names.ts'
import type { Secret } from '../../ir/nodes/host.ts'
import { daemonSettings } from '../daemon-settings/settings.ts'
import { descriptorsFor } from '../descriptors.ts'
import { notExpressed, withoutSystemd } from '../not-expressed.ts'
import type { Emission, EmitOptions } from '../output.ts'
import { withoutCa, withoutProxy } from '../platform.ts'

const COMMENT = ['Made by gatectl from the spec; changes here are lost.']

/** A property list that keeps the gateway running on macOS. @see launchd.plist(5) */
export function emitLaunchd(deployment: Deployment, options: EmitOptions): Emission {
  const { gateway, prefix } = deployment
  const names = launchdNames(prefix)
  const alone = withoutProxy(deployment)
  const settings = daemonSettings(alone, { host: gateway.host, reach: () => undefined }, options.settings)
  const variables = settings.secrets.map(({ name, secret }): [string, PlistNode] => [
    `${name}_FILE`,
    plistString(secretPath(secret, names.secretsDirectory), secret.origin),
  ])
  const files = plistDict({
    NumberOfFiles: plistInteger(descriptorsFor(gateway.maxConnections), ['gate', 'server', 'max_connections']),
  })
  const root = plistDict({
    Label: plistString(names.label),
    ProgramArguments: plistArray(
      [names.program, '--state-directory', names.stateDirectory, '--declared', names.declaredConfig].map((word) =>
        plistString(word),
      ),
    ),
    UserName: plistString(names.user),
    EnvironmentVariables: plistDict(Object.fromEntries(variables)),
    RunAtLoad: plistBoolean(true),
    // a clean stop is a stop; everything else is started again
    KeepAlive: plistDict({ SuccessfulExit: plistBoolean(false) }),
    ExitTimeOut: plistInteger(60),
    ProcessType: plistString('Interactive'),
    Umask: plistInteger(0o077),
    SoftResourceLimits: files,
    HardResourceLimits: files,
    StandardOutPath: plistString(names.log),
    StandardErrorPath: plistString(names.log),
  })
  return {
    files: [
      {
        path: `launchd/${names.label}.plist`,
        install: `${names.directory}/${names.label}.plist`,
        mode: 0o644,
        ...printPlist(COMMENT, root, ['gate']),
      },
      { path: 'launchd/declared.json', install: names.declaredConfig, mode: 0o644, ...printJson(settings.declared) },
    ],
    findings: [
      ...launchdFindings(deployment),
      ...withoutCa(alone, 'launchd'),
      ...settings.findings,
      ...settings.secrets.flatMap(({ secret }) => placeFinding(secret, names.secretsDirectory)),
    ],
  }
}

function launchdFindings(deployment: Deployment): Finding[] {
  const { gateway, containers } = deployment
  // the daemon listens where the spec says, so mode none is as closed as elsewhere
  const general = withoutSystemd('launchd', deployment).filter(({ code }) => code !== 'OPEN_WITHOUT_AUTH')
  return [
    ...general,
    ...containers.map(({ origin }) =>
      notExpressed(
        origin,
        'the target launchd runs no containers, and macOS gives containers no GPU',
        'run the engine on macOS itself; the gateway finds Ollama, llama.cpp, vLLM and LM Studio on loopback',
      ),
    ),
    notExpressed(
      ['gate', 'memory'],
      `launchd cannot limit a process to ${gateway.memoryBytes / 2 ** 20} MiB of memory`,
      'lower gate.server.max_buffered and max_concurrent on a small machine',
    ),
  ]
}

function secretPath({ source, name }: Secret, directory: string): string {
  if ('file' in source) return source.file
  return `${directory}/${'credential' in source ? source.credential : name}`
}

function placeFinding(secret: Secret, directory: string): Finding[] {
  if ('file' in secret.source) return []
  const path = secretPath(secret, directory)
  const what = 'env' in secret.source ? 'launchd passes on none of your variables' : 'launchd has no credentials'
  return [notExpressed(secret.origin, `${what}, so the daemon reads ${path}`, 'write that file, with mode 0600')]
}
