import { usageFailure } from '../../failure.ts'
import type { Run } from '../../invocation.ts'
import { keyName } from './invite.ts'

export const run: Run = async ({ admin, arguments: [name = ''], json, print, printJson }) => {
  const { peers } = await admin.ask('GET /api/admin/peers')
  const peer = peers.find((one) => one.name === name)
  const removed: string[] = []
  for (const upstream of peer?.upstreams ?? []) {
    await admin.ask('DELETE /api/admin/upstreams/{name}', { parameter: upstream })
    removed.push(`upstream ${upstream}`)
  }
  const { keys } = await admin.ask('GET /api/admin/keys')
  for (const key of keys.filter((one) => one.name === keyName(name) && one.revoked_at === undefined)) {
    await admin.ask('DELETE /api/admin/keys/{id}', { parameter: key.id })
    removed.push(`key ${key.id}`)
  }
  if (peer !== undefined) {
    await admin.ask('DELETE /api/admin/config/keys/{key}', { parameter: `peers.${name}` })
    removed.push(`peer ${name}`)
  }
  if (removed.length === 0)
    throw usageFailure(`gatectl peer remove: there is no peer "${name}"`, '"gatectl peer list" lists them')
  if (json) printJson({ removed })
  else print(`removed: ${removed.join(', ')}`)
  return 0
}
