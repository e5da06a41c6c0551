import { usageFailure } from '../../failure.ts'
import type { Run } from '../../invocation.ts'
import { keysOf } from './invite.ts'

export const run: Run = async (invocation) => {
  const { admin, arguments: given, json, print, printJson } = invocation
  const [name = ''] = given
  const { peers } = await admin.ask('GET /api/admin/peers')
  const peer = peers.find((one) => one.name === name)
  const removed: string[] = []
  for (const upstream of peer?.upstreams ?? []) {
    await admin.ask('DELETE /api/admin/upstreams/{name}', { parameter: upstream })
    removed.push(`upstream ${upstream}`)
  }
  for (const key of await keysOf(invocation, name)) {
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
