import { NEWEST_PODMAN, OLDEST_PODMAN } from '../compiler/catalog/podman-keys.ts'
import { isBefore, type Version, versionText } from '../compiler/emit/output.ts'
import type { HostView } from './host.ts'

/** What the compiler has to know of the host; absent: not installed, or of an unknown form. */
export type Versions = { readonly podman: Version | undefined; readonly systemd: number | undefined }

export async function readVersions(host: HostView): Promise<Versions> {
  const [podman, systemd] = await Promise.all([host.ask(['podman', '--version']), host.ask(['systemctl', '--version'])])
  const [, major, minor] = /version (\d+)\.(\d+)/.exec(podman.stdout) ?? []
  const [, number] = /^systemd (\d+)/.exec(systemd.stdout) ?? []
  return {
    podman: major === undefined ? undefined : { major: Number(major), minor: Number(minor) },
    systemd: number === undefined ? undefined : Number(number),
  }
}

/**
 * The newest podman that the compiler knows and that is not newer than the one on the host, which reads its quadlets.
 */
export function compiledPodman(podman: Version): Version {
  return isBefore(NEWEST_PODMAN, podman) ? NEWEST_PODMAN : podman
}

/** What is wrong with the podman of a host, if anything. */
export function podmanProblem(podman: Version | undefined): string | undefined {
  if (podman === undefined) return 'podman is not installed'
  return isBefore(podman, OLDEST_PODMAN) ? `podman ${versionText(podman)} has no quadlets` : undefined
}
