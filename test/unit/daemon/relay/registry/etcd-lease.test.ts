import { expect, test } from 'vitest'
import type { EtcdGateway } from '../../../../../daemon/relay/registry/etcd-gateway.ts'
import { createEtcdLease } from '../../../../../daemon/relay/registry/etcd-lease.ts'

test('keys that were written under one lease while another was granted are written again, under that', async () => {
  let granted = 0
  const gateway: Pick<EtcdGateway, 'call'> = { call: async () => ({ ID: String(++granted) }) }
  const leases = new Map<string, string | undefined>()
  const first = Promise.withResolvers<void>()
  const begun = Promise.withResolvers<void>()
  const lease = createEtcdLease(gateway, async (changes) => {
    const under = lease.id()
    begun.resolve()
    if (under === '1') await first.promise
    for (const { key } of changes) leases.set(key, under)
  })
  lease.want([{ key: 'relay/r1', value: '{}', isLeased: true }])
  const before = lease.take()
  await begun.promise
  const after = lease.take()
  await expect.poll(lease.id).toBe('2')
  first.resolve()
  await Promise.all([before, after])
  expect(leases).toEqual(new Map([['relay/r1', '2']]))
})
