import { fstatSync, readFileSync, statSync, writeFileSync, writeSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type LeaseName, type Leases, localLeases } from '../../../../daemon/admit/leases.ts'
import type { Ended } from '../../../../schemas/words/ended.ts'
import { openLeaseFile } from '../../../../store/leases/lease-file.ts'
import { budgetsOf, memoryLeases, PAYER } from '../../../support/budgets.ts'
import { temporaryDirectory } from '../../../support/temporary-directory.ts'

let place: ReturnType<typeof temporaryDirectory>
beforeEach(() => {
  place = temporaryDirectory()
})
afterEach(() => place.remove())

const NAME: LeaseName = { budget: 'b', subject: '', windowStartMs: 1_000 }

/** Leases that several processes share, who ask one another over a network: what later may be behind the interface. */
function sharedLeases(total: number) {
  const granted = new Map<string, number>()
  const listeners = new Set<(ended: Ended) => void>()
  return (): Leases => {
    const own = new Map<string, number>()
    return {
      before: () => 0,
      async extend({ budget, subject, windowStartMs }, needed, wanted) {
        await new Promise((resolve) => setImmediate(resolve))
        const key = `${budget} ${subject} ${windowStartMs}`
        const mine = own.get(key) ?? 0
        const left = total - (granted.get(key) ?? 0)
        const more = Math.max(0, wanted - mine <= left ? wanted - mine : Math.min(needed - mine, left))
        granted.set(key, (granted.get(key) ?? 0) + more)
        own.set(key, mine + more)
        return mine + more
      },
      share: () => 0.5,
      announce: (ended) => {
        for (const listener of [...listeners]) listener(ended)
      },
      whenAnnounced(listener) {
        listeners.add(listener)
        return () => listeners.delete(listener)
      },
    }
  }
}

const WORLDS = [
  { name: 'of one process, in a file', join: () => localLeases(openLeaseFile(place.file('leases'), () => 2_000)) },
  { name: 'of several processes', join: sharedLeases(1_000_000) },
]

describe.each(WORLDS)('leases $name', ({ join }) => {
  test('let spending go as far as is needed, or further', async () => {
    const leases = join()
    expect(leases.before({ ...NAME, budget: 'new' })).toBe(0)
    const upTo = await leases.extend({ ...NAME, budget: 'new' }, 100, 500)
    expect(upTo).toBeGreaterThanOrEqual(100)
    expect(upTo).toBeLessThanOrEqual(500)
  })

  test('tell every listener of every process what has ended, until it leaves', () => {
    const [announcing, other] = [join(), join()]
    const heard: string[] = []
    const hear = (where: string) => (ended: Ended) => heard.push(`${where} ${ended.kind} ${ended.id} ${ended.why}`)
    const stop = announcing.whenAnnounced(hear('here'))
    if (join !== WORLDS[0]?.join) other.whenAnnounced(hear('there'))
    announcing.announce({ kind: 'credential', id: 'key-1', why: 'revoked' })
    stop()
    announcing.announce({ kind: 'user', id: 'user-1', why: 'disabled' })
    const there = ['there credential key-1 revoked', 'there user user-1 disabled']
    expect(heard).toEqual(['here credential key-1 revoked', ...(join === WORLDS[0]?.join ? [] : there)])
  })

  test('give a share of rates', () => {
    expect(join().share()).toBeGreaterThan(0)
    expect(join().share()).toBeLessThanOrEqual(1)
  })

  test('carry budgets: 100 requests on a budget for 30 admit 30 at most', async () => {
    const config = { limit: '1 USD', window: 'month', zone: 'UTC', scope: 'global' } as const
    const own = { ...config, soft: false, overdraft: '0 USD', unknown_price: 'count-as-0' } as const
    const processes = [budgetsOf({ b: own }, { leases: join() }), budgetsOf({ b: own }, { leases: join() })]
    const worst = { amount: 33_000, isFree: false, isKnown: true }
    const used = join === WORLDS[0]?.join ? processes.slice(0, 1) : processes
    const reserved = await Promise.all(
      Array.from({ length: 100 }, (_, i) => {
        const budgets = used[i % used.length] ?? expect.unreachable('there is one')
        return budgets.reserve(budgets.pots.ofPayer(PAYER), Date.now(), worst)
      }),
    )
    const admitted = reserved.filter((one) => !('kind' in one))
    expect(admitted.length).toBeGreaterThanOrEqual(28)
    expect(admitted.length).toBeLessThanOrEqual(30)
  })
})

describe('the file of leases', () => {
  const open = (now = 2_000) => openLeaseFile(place.file('leases'), () => now)

  test('what was noted is there after a kill, the last of each counts, and nobody else may read it', () => {
    const file = open()
    file.put(NAME, 100)
    file.put({ ...NAME, subject: 'a "b"\nc' }, 7)
    file.put(NAME, 200)
    const again = open()
    expect([
      again.find(NAME),
      again.find({ ...NAME, subject: 'a "b"\nc' }),
      again.find({ ...NAME, budget: 'x' }),
    ]).toEqual([200, 7, 0])
    expect(statSync(place.file('leases')).mode & 0o777).toBe(0o600)
  })

  test('a line that a kill has torn is left out, and the next one is whole', () => {
    open().put(NAME, 100)
    const whole = readFileSync(place.file('leases'), 'utf8')
    for (let length = 1; length < whole.length; length += 1) {
      writeFileSync(place.file('leases'), whole + whole.slice(0, length))
      const torn = open()
      expect(torn.find(NAME)).toBe(100)
      torn.put({ ...NAME, budget: 'c' }, 5)
      expect([open().find(NAME), open().find({ ...NAME, budget: 'c' })]).toEqual([100, 5])
    }
  })

  test('it grows by a megabyte at most, and loses what is long over', () => {
    const day = 86_400_000
    open(day).put({ ...NAME, subject: 'old' }, 1)
    const file = open(60 * day)
    const now = { ...NAME, windowStartMs: 59 * day }
    for (let n = 0; n < 40_000; n += 1) file.put(now, n)
    expect(statSync(place.file('leases')).size).toBeLessThan(2 ** 20 + 1_000)
    expect([open(60 * day).find(now), open().find({ ...NAME, subject: 'old' })]).toEqual([39_999, 0])
  })

  test('what is appended while the disk is told of the rest is told afterwards, once, and its file is open until then', () => {
    const told: number[] = []
    const done: (() => void)[] = []
    const file = openLeaseFile(place.file('leases'), () => 2_000, {
      write: writeSync,
      sync(fd, after) {
        told.push(fstatSync(fd).ino)
        done.push(after)
      },
    })
    const next = () => done.shift()?.()
    for (const upTo of [1, 2, 3]) file.put(NAME, upTo)
    expect(told).toHaveLength(1)
    next()
    expect(told).toHaveLength(2)
    file.put({ ...NAME, subject: 'x'.repeat(2 ** 20) }, 1)
    file.put(NAME, 4) // in a new file
    next()
    expect([told.length, told[1] === told[2]]).toEqual([3, false])
    next()
    expect(told).toHaveLength(3)
    file.close()
  })

  test('on a full disk nothing is granted, and then what was there is as before', () => {
    let isFull = false
    const file = openLeaseFile(place.file('leases'), () => 2_000, {
      write(_, bytes, offset) {
        if (isFull) throw Object.assign(new Error('no space'), { code: 'ENOSPC' })
        return bytes.length - offset
      },
      sync: (_, done) => done(),
    })
    file.put(NAME, 100)
    isFull = true
    expect(() => file.put(NAME, 200)).toThrow(/cannot be recorded \(ENOSPC\)/)
    expect(file.find(NAME)).toBe(100)
    isFull = false
    file.put(NAME, 200)
    expect(file.find(NAME)).toBe(200)
  })
})

describe('after a crash', () => {
  const budget = {
    limit: '10 USD',
    window: 'month',
    zone: 'UTC',
    scope: 'global',
    soft: false,
    overdraft: '0 USD',
  } as const
  const own = { ...budget, unknown_price: 'count-as-0' } as const
  const worst = { amount: 10_000, isFree: false, isKnown: true }

  test('all that was leased counts as spent, which is one lease more than it was at most', () => {
    const store = memoryLeases()
    const before = budgetsOf({ b: own }, { leases: localLeases(store) })
    for (let n = 0; n < 50; n += 1) {
      const reserved = before.reserve(before.pots.ofPayer(PAYER), Date.now(), worst)
      if (!('atMs' in reserved)) return expect.unreachable('there is money')
      before.settle(reserved, 9_000)
    }
    const after = budgetsOf({ b: own }, { leases: localLeases(store) })
    const [pot] = after.pots.all()
    expect(pot?.now.spent).toBeGreaterThanOrEqual(450_000)
    expect(pot?.now.spent).toBeLessThanOrEqual(450_000 + 10_000 + 100_000)
    expect(store.all.size).toBe(1)
  })
})
