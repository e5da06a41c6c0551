import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createHeldTime, type Held, heldSoFar } from '../../../../daemon/meter/held-time.ts'

const HOUR_MS = 3_600_000
const PRICE = 900_000

function clock() {
  let ms = 5_000
  return { now: () => ms, pass: (more: number) => (ms += more) }
}

test('one request pays for its time, two at a time pay half of theirs each, and idle time costs nothing', () => {
  const { now, pass } = clock()
  const time = createHeldTime(now)
  const first = time.begin('gpu', PRICE)
  pass(HOUR_MS)
  const second = time.begin('gpu', PRICE)
  const elsewhere = time.begin('other', PRICE)
  pass(HOUR_MS)
  expect(heldSoFar(first, now())).toBe(1.5 * PRICE)
  expect([time.end(first), time.end(elsewhere)]).toEqual([1.5 * PRICE, PRICE])
  pass(HOUR_MS)
  expect(time.end(second)).toBe(1.5 * PRICE)
  pass(10 * HOUR_MS)
  const late = time.begin('gpu', PRICE)
  pass(HOUR_MS / 2)
  expect(time.end(late)).toBe(PRICE / 2)
})

test('what requests pay together is what the busy time costs, to the micro-dollar, and each is told what it will be', () => {
  const steps = fc.array(fc.record({ afterMs: fc.nat(5_000), which: fc.nat(7) }), { maxLength: 200 })
  fc.assert(
    fc.property(steps, fc.integer({ min: 1, max: 50_000_000 }), (all, perHour) => {
      const { now, pass } = clock()
      const time = createHeldTime(now)
      const held = new Map<number, Held>()
      let [busyMs, paid] = [0, 0]
      const end = (which: number, one: Held) => {
        const told = heldSoFar(one, now())
        const whole = time.end(one)
        expect(Math.abs(told - whole)).toBeLessThanOrEqual(1)
        paid += whole
        held.delete(which)
      }
      for (const { afterMs, which } of all) {
        pass(afterMs)
        if (held.size > 0) busyMs += afterMs
        const known = held.get(which)
        if (known === undefined) held.set(which, time.begin('gpu', perHour))
        else end(which, known)
      }
      for (const [which, one] of held) end(which, one)
      const exact = (busyMs * perHour) / HOUR_MS
      expect(paid).toBeGreaterThan(exact - 1.001)
      expect(paid).toBeLessThan(exact + 0.001)
    }),
  )
})
