import { DEBIAN_LAYOUT } from '../../schemas/deploy/layout.ts'
import { NEWEST_PODMAN, OLDEST_PODMAN } from '../catalog/podman-keys.ts'
import type { Finding } from '../diagnostic.ts'
import { type EmitOptions, isBefore } from './output.ts'

/** Debian 13. */
export const DEFAULT_OPTIONS: EmitOptions = {
  podman: { major: 5, minor: 4 },
  systemd: 257,
  layout: DEBIAN_LAYOUT,
  settings: {},
}

/** socket-proxyd's --exit-idle-time came with 246, Debian 12 has 252. */
const OLDEST_SYSTEMD = 252

/** Refuses versions that the emitters do not know. */
export function checkVersions({ podman, systemd }: EmitOptions): Finding[] {
  const findings: Finding[] = []
  if (isBefore(podman, OLDEST_PODMAN) || isBefore(NEWEST_PODMAN, podman))
    findings.push({ code: 'UNSUPPORTED_VERSION', path: [], message: 'podman must be from 4.4 to 5.8' })
  if (systemd < OLDEST_SYSTEMD)
    findings.push({ code: 'UNSUPPORTED_VERSION', path: [], message: `systemd must be ${OLDEST_SYSTEMD} or newer` })
  return findings
}
