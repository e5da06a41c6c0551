import { expect, test } from 'vitest'
import { alike, TEXT_FIELDS } from '../../../store/sqlite/alike.ts'
import { USAGE_FIELDS, USAGE_KINDS } from '../../../store/usage-columns.ts'

const HOUR_MS = 3_600_000
const texts = Object.fromEntries(TEXT_FIELDS.map((field) => [field, 'ok'])) as Record<
  (typeof TEXT_FIELDS)[number],
  'ok'
>
const row = { ...texts, startedAt: 5 * HOUR_MS }

test('every text of a usage row but its id tells rows apart', () => {
  const all = USAGE_FIELDS.filter((field) => USAGE_KINDS[field] === 'string' && field !== 'requestId')
  expect([...TEXT_FIELDS].sort()).toEqual([...all].sort())
})

test.each(TEXT_FIELDS)('rows that differ in %s are not alike', (field) => {
  const other = { ...row, [field]: 'failed' }
  expect(alike([row, other, row])).toEqual([[row, row], [other]])
})

test('rows of one hour are alike, and of the next they are not', () => {
  const last = { ...row, startedAt: 6 * HOUR_MS - 1 }
  const next = { ...row, startedAt: 6 * HOUR_MS }
  expect(alike([row, next, last])).toEqual([[row, last], [next]])
})
