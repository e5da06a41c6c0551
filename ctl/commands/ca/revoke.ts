import { revokeIssued } from '../../../host/ca/by-hand.ts'
import { publish } from '../../../host/ca/keep.ts'
import { localHost } from '../../../host/host.ts'
import type { Run } from '../../invocation.ts'
import { authorityAt, caPlace, onAuthority } from './place.ts'
import { renewAt } from './renew.ts'

export const run: Run = async (invocation) => {
  const { json, print, printJson, note } = invocation
  const host = localHost()
  const place = caPlace(invocation, host, 'ca revoke')
  const named = invocation.arguments[0] ?? ''
  const revoked = await onAuthority(host, place, 'ca revoke', async () => {
    const now = revokeIssued(host, authorityAt(host, place), named, Date.now())
    await publish(host, authorityAt(host, place), place, Date.now())
    return now
  })
  if (json) printJson({ revoked })
  else if (revoked.length === 0) print('it was revoked before')
  for (const { serial, names } of revoked) if (!json) print(`revoked ${serial} for ${names.join(', ') || 'the daemon'}`)
  // what the deployment serves gets another key at once
  if (place.request !== undefined && revoked.some(({ by }) => by !== 'hand'))
    await renewAt(invocation, host, { ...place, request: place.request })
  note(`the list is ${place.published}/ca.crl`)
  return 0
}
