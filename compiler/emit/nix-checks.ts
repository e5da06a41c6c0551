import type { Deployment } from '../ir/deployment.ts'
import { type Attribute, code, list, type Nix, set, str } from '../syntax/nix.ts'
import { type EmitOptions, versionText } from './output.ts'

/** What only the host's own configuration can tell: versions, and other accounts. */
export function nixChecks(deployment: Deployment, options: EmitOptions): Attribute[] {
  const assertions = [...versionAssertions(deployment, options), ...rangeAssertions(deployment)]
  const warnings = imageWarnings(deployment)
  return [
    { path: ['assertions'], value: list(assertions) },
    ...(warnings.length === 0 ? [] : [{ path: ['warnings'], value: list(warnings) }]),
  ]
}

/** Keys newer than the host's podman would make it ignore a quadlet without a word. */
function versionAssertions({ containers }: Deployment, { podman, systemd }: EmitOptions): Nix[] {
  const atLeast = (option: string, program: string, wanted: string): Nix =>
    assertion(
      `lib.versionAtLeast ${option}.version "${wanted}"`,
      str(
        `these units are for ${program} ${wanted} or newer, this host has `,
        code(`${option}.version`),
        `: run gatectl compile with --${program} and that version`,
      ),
    )
  return [
    ...(containers.length === 0
      ? []
      : [atLeast('config.virtualisation.podman.package', 'podman', versionText(podman))]),
    atLeast('config.systemd.package', 'systemd', String(systemd)),
  ]
}

/** NixOS checks that user ids are unique, but not that ranges of subordinate ids are. */
function rangeAssertions({ users }: Deployment): Nix[] {
  const ranges = users.flatMap(({ subuid }) => subuid ?? [])
  if (ranges.length === 0) return []
  const first = Math.min(...ranges.map(({ start }) => start))
  const end = Math.max(...ranges.map(({ start, count }) => start + count))
  const others = (key: 'Uid' | 'Gid'): string =>
    `lib.count (range: range.start${key} < ${end} && range.start${key} + range.count > ${first})\n` +
    `  (lib.concatMap (user: user.sub${key}Ranges) (lib.attrValues config.users.users)) == ${ranges.length}`
  return (['Uid', 'Gid'] as const).map((key) =>
    assertion(
      others(key),
      str(
        `users.users.*.sub${key}Ranges: another account has ids between ${first} and ${end - 1}, which belong to Gate's ` +
          'backends: move its range',
      ),
    ),
  )
}

function assertion(condition: string, message: Nix): Nix {
  return set([
    { path: ['assertion'], value: code(condition) },
    { path: ['message'], value: message },
  ])
}

function imageWarnings({ containers }: Deployment): Nix[] {
  return containers
    .filter(({ image }) => !image.includes('@sha256:'))
    .map(({ name, image }) => str(`${name} runs ${image}, which may change: name the image by @sha256:… in the spec`))
}
