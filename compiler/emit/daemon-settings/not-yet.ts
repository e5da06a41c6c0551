import type { SpecPath } from '../../../schemas/spec/path.ts'
import { PROFILES } from '../../catalog/profiles.ts'
import type { Finding } from '../../diagnostic.ts'
import type { Deployment } from '../../ir/deployment.ts'

/**
 * What a spec can ask for and the daemon's configuration has no key for; about access, what it does instead is
 * stricter.
 */
export function notYet(deployment: Deployment): Finding[] {
  const { gateway, sandbox, profile } = deployment
  const wanted: readonly (readonly [boolean, SpecPath, string])[] = [
    [gateway.cacheBytes !== PROFILES[profile].cacheBytes, ['gate', 'cache'], 'size its database cache'],
    [sandbox.enable, ['sandbox', 'enable'], 'run code'],
  ]
  return wanted
    .filter(([isWanted]) => isWanted)
    .map(([, path, what]) => ({ code: 'NOT_YET', severity: 'warning', path, message: `the daemon cannot ${what} yet` }))
}
