import { expect } from 'vitest'
import { type Compiled, compile } from '../../compiler/compile.ts'
import type { NixosHost } from './nixos.ts'

/** The targets whose files a host on NixOS takes over. */
export const MADE_ON_NIXOS = ['declared', 'systemd', 'quadlet', 'nginx', 'caddy', 'dnsmasq', 'client'] as const

/**
 * What the spec that a host's first gateway is built from compiles to, and what the spec as somebody wrote it does.
 * Relays are another service there; a lock and lists of files say nothing more. Nix sorts names, so order is left out.
 */
export function roundTrip({ deployment }: Compiled, { builds }: NixosHost) {
  const { spec, lock } = builds[0]?.environment ?? expect.unreachable('a gateway is built')
  return {
    cameBack: filesOf(spec, lock),
    written: filesOf(JSON.stringify(withoutEnvironment(deployment.written)), lock),
  }
}

function filesOf(spec: string, lock: string): Record<string, unknown> {
  const result = compile(spec, { targets: MADE_ON_NIXOS, lock })
  if (result.kind === 'refused') return expect.unreachable(JSON.stringify(result.diagnostics))
  const own = result.files.filter(({ path }) => !/relay|README|gate\.lock/.test(path))
  return Object.fromEntries(
    own.map(({ path, text }) => [path, path.endsWith('.json') ? JSON.parse(text) : text.split('\n').toSorted()]),
  )
}

/** Without secrets of an environment, which no unit has: the target leaves them out, with a warning. */
function withoutEnvironment(tree: unknown): unknown {
  if (Array.isArray(tree)) return tree.map(withoutEnvironment)
  if (typeof tree !== 'object' || tree === null) return tree
  const isSecret = (value: unknown): boolean => typeof value === 'object' && value !== null && 'env' in value
  const left = Object.entries(tree).filter(([, value]) => !isSecret(value))
  return Object.fromEntries(left.map(([key, value]) => [key, withoutEnvironment(value)]))
}
