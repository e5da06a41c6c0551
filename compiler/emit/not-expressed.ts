import type { SpecPath } from '../../schemas/spec/path.ts'
import type { Finding } from '../diagnostic.ts'
import type { Deployment } from '../ir/deployment.ts'

/** A warning that a part of the spec has no effect in this target. */
export function notExpressed(path: SpecPath, message: string, hint: string): Finding {
  return { code: 'NOT_EXPRESSED', severity: 'warning', path, message, hint }
}

/** What targets without systemd lack: they run the gateway, and nothing that needs its agent or its relays. */
export function withoutSystemd(target: string, deployment: Deployment): Finding[] {
  const { relays, sandbox, gateway } = deployment
  const findings = relays.map(({ origin }) =>
    notExpressed(origin, `the target ${target} runs no relay server`, 'use the target systemd or nix on its own host'),
  )
  if (sandbox.enable && sandbox.runtime === 'podman')
    findings.push(
      notExpressed(
        ['sandbox', 'runtime'],
        `under the target ${target} the gateway has no podman to run code in`,
        'use runtime = "wasm", or the target systemd',
      ),
    )
  if (gateway.auth.modes.includes('none'))
    findings.push({
      code: 'OPEN_WITHOUT_AUTH',
      path: ['gate', 'auth', 'mode'],
      message: `under the target ${target} the gateway listens on more than a loopback address, and mode none lets every client in`,
      hint: 'use mode = "token"',
    })
  return findings
}

/** Backends that the target runs nowhere. */
export function withoutBackends(target: string, { containers }: Deployment): Finding[] {
  return containers.map(({ origin, gpu }) =>
    notExpressed(
      origin,
      `the target ${target} runs no backends${gpu === 'none' ? '' : `, and has no GPU of kind ${gpu}`}`,
      'run it on your own host and add it as an upstream, or use the target compose',
    ),
  )
}
