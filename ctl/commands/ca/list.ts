import type { Authority } from '../../../host/ca/authority.ts'
import { describeRoots, type RootFacts } from '../../../host/ca/by-hand.ts'
import { type Host, localHost } from '../../../host/host.ts'
import type { Issued } from '../../../schemas/deploy/authority.ts'
import type { Invocation, Run } from '../../invocation.ts'
import { table } from '../../output/table.ts'
import { converted } from '../host/deployment.ts'
import { authorityAt, caPlace } from './place.ts'

export const run: Run = (invocation) => listAuthority(invocation, localHost())

async function listAuthority(invocation: Invocation, host: Host): Promise<number> {
  const { json, print, printJson, stdout } = invocation
  const place = caPlace(invocation, host, 'ca list')
  const authority = await converted(async () => authorityAt(host, place))
  const roots = describeRoots(authority)
  if (json) {
    printJson({ directory: place.directory, roots, issued: authority.issued })
    return 0
  }
  for (const line of rootLines(authority)) print(line)
  if (authority.issued.length > 0)
    print(table(['NUMBER', 'FOR', 'UNTIL', 'STATE', 'NAMES'], authority.issued.map(row), stdout))
  return 0
}

const day = (ms: number) => new Date(ms).toISOString().slice(0, 10)

/** The roots, a line for each. */
export function rootLines(authority: Authority): string[] {
  return describeRoots(authority).map(
    ({ role, subject, toMs, permitted, sha256 }: RootFacts) =>
      `${role}: ${subject}, until ${day(toMs)}, for ${permitted.join(', ')}\n  SHA-256 ${sha256}`,
  )
}

function row({ serial, by, toMs, revokedMs, names, place }: Issued): readonly string[] {
  const state = revokedMs !== undefined ? `revoked ${day(revokedMs)}` : toMs <= Date.now() ? 'expired' : 'valid'
  return [serial, by === 'hand' ? (place ?? by) : by, day(toMs), state, names.join(', ') || '-']
}
