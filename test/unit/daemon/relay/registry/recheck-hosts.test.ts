import { expect, test } from 'vitest'
import { recheckHosts } from '../../../../../daemon/relay/registry/recheck-hosts.ts'

const HOUR_MS = 3_600_000
const NODE = 'a'.repeat(32)
const never = new AbortController().signal

function rechecked() {
  const clock = { nowMs: 0 }
  const dns: { values: readonly string[] | null } = { values: [NODE] }
  const asked: string[] = []
  const released: string[] = []
  const name = (host: string) => ({ host, nodeId: NODE, claimedAtMs: 0 })
  const recheck = recheckHosts({
    registry: {
      names: () => ['ai.example.net', 'myserver.gate.test'].filter((host) => !released.includes(host)).map(name),
      release: async (host) => {
        released.push(host)
        return 'released'
      },
    },
    domain: 'gate.test',
    lookUpTxt: async (host) => {
      asked.push(host)
      if (dns.values === null) throw new Error('no answer')
      return dns.values
    },
    now: () => clock.nowMs,
    random: () => 0.5,
    log: () => {},
  })
  const after = async (hours: number) => {
    clock.nowMs += hours * HOUR_MS
    await recheck(never)
  }
  return { after, dns, asked, released }
}

test('a host elsewhere is looked up once a day, and one of the domain never', async () => {
  const { after, asked, released } = rechecked()
  for (let hour = 0; hour <= 72; hour++) await after(1)
  expect(asked).toEqual(Array(3).fill('_gate-relay.ai.example.net'))
  expect(released).toEqual([])
})

test('a record that is gone for three looks ends the claim', async () => {
  const { after, dns, released } = rechecked()
  await after(0)
  dns.values = ['another']
  await after(24)
  await after(1)
  expect(released).toEqual([])
  await after(1)
  expect(released).toEqual(['ai.example.net'])
})

test('a name server that does not answer, or answers again, ends nothing', async () => {
  const { after, dns, released } = rechecked()
  await after(0)
  dns.values = null
  for (let hour = 0; hour < 48; hour++) await after(1)
  dns.values = []
  await after(1)
  await after(1)
  dns.values = [NODE]
  await after(1)
  dns.values = []
  await after(24)
  await after(1)
  expect(released).toEqual([])
})

test('name servers that do not answer hold up no other host', async () => {
  const looked: string[] = []
  const stopped = new AbortController()
  const hosts = Array.from({ length: 20 }, (_, i) => (i < 7 ? `slow-${i}.example.net` : `quick-${i}.example.net`))
  const recheck = recheckHosts({
    registry: {
      names: () => hosts.map((host) => ({ host, nodeId: NODE, claimedAtMs: 0 })),
      release: async () => 'released',
    },
    domain: 'gate.test',
    lookUpTxt: (host, signal) => {
      looked.push(host)
      if (!host.includes('slow')) return Promise.resolve([NODE])
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('no answer'))))
    },
    now: () => 0,
    random: () => 0,
    log: () => {},
  })
  const running = recheck(stopped.signal)
  await new Promise(setImmediate)
  expect(looked).toHaveLength(20)
  stopped.abort()
  await running
})
