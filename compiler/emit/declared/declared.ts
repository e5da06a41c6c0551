import { hostPort } from '../../../schemas/words/address.ts'
import { printJson } from '../../../syntax/json/print.ts'
import type { Deployment } from '../../ir/deployment.ts'
import type { Backend } from '../../ir/nodes/backend.ts'
import type { Reach } from '../daemon-settings/backends.ts'
import { daemonSettings } from '../daemon-settings/settings.ts'
import type { Emission, EmitOptions } from '../output.ts'

/** The daemon's declared layer on a host with systemd; its secrets are credentials of the unit. */
export function emitDeclared(deployment: Deployment, options: Pick<EmitOptions, 'settings'>): Emission {
  const { host, declaredConfig } = deployment.gateway
  const { declared, findings } = daemonSettings(deployment, { host, reach }, options.settings)
  return {
    files: [{ path: 'declared/declared.json', install: declaredConfig, mode: 0o644, ...printJson(declared) }],
    findings,
  }
}

/** Requests go to a path of this URL when the connection is a Unix socket. */
const SOCKET_BASE_URL = 'http://localhost/v1'

function reach({ address, agentSocket }: Backend): Reach {
  return address.kind === 'unix'
    ? { baseUrl: SOCKET_BASE_URL, socket: address.path, agent: agentSocket }
    : { baseUrl: `http://${hostPort(address.host, address.port)}/v1`, agent: agentSocket }
}
