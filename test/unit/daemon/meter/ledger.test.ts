import { expect, test } from 'vitest'
import { createLedger } from '../../../../daemon/meter/ledger.ts'
import type { UsageRow } from '../../../../daemon/meter/usage.ts'
import { until } from '../../../support/daemon.ts'
import { usageRow } from '../../../support/usage-row.ts'

const row = (requestId: string): UsageRow => usageRow({ requestId, targetModel: 'm' })

function ledgerOver(append: (rows: readonly UsageRow[]) => void, isDamaged = false) {
  let time = 0
  const logged: string[] = []
  const ledger = createLedger({
    store: { append, isDamaged: () => isDamaged },
    log: (_level, message) => logged.push(message),
    now: () => time,
  })
  return { ledger, logged, pass: (ms: number) => (time += ms) }
}

test('settles only after the row is written, all rows of a turn in one batch', async () => {
  const batches: string[][] = []
  const { ledger } = ledgerOver((rows) => batches.push(rows.map((r) => r.requestId)))
  const settled = [ledger.settle(row('a')), ledger.settle(row('b'))]
  expect(batches).toEqual([])
  await Promise.all(settled)
  expect(batches).toEqual([['a', 'b']])
  expect(ledger.close()).toBe(0)
})

test('keeps rows while the store fails, lets answers go, and writes them when it works again', async () => {
  const written: string[] = []
  let broken = true
  const { ledger, logged, pass } = ledgerOver((rows) => {
    if (broken) throw new Error('SQLITE_FULL')
    written.push(...rows.map((r) => r.requestId))
  })
  await ledger.settle(row('a'))
  await ledger.settle(row('b'))
  expect(ledger.backlogRows()).toBe(2)
  expect(ledger.refusal()).toBeNull()
  pass(6_000)
  expect(ledger.refusal()).toMatch(/disk full/)
  expect(logged).toEqual(['cannot write usage rows; they wait in memory'])
  broken = false
  await until(() => ledger.backlogRows() === 0)
  expect(written).toEqual(['a', 'b'])
  expect(ledger.refusal()).toBeNull()
  expect(ledger.close()).toBe(0)
})

test('close writes what is left, and says how much could not be', () => {
  const written: string[] = []
  const good = ledgerOver((rows) => written.push(...rows.map((r) => r.requestId)))
  void good.ledger.settle(row('a'))
  expect(good.ledger.close()).toBe(0)
  expect(written).toEqual(['a'])

  const bad = ledgerOver(() => {
    throw new Error('SQLITE_FULL')
  })
  void bad.ledger.settle(row('a'))
  expect(bad.ledger.close()).toBe(1)
})

test('a database that is damaged is as a disk that is full, though rows can still be appended: no new request is taken', async () => {
  const { ledger } = ledgerOver(() => {}, true)
  await ledger.settle(row('a'))
  expect([ledger.backlogRows(), ledger.refusal()]).toEqual([0, expect.stringContaining('the database is damaged')])
})
