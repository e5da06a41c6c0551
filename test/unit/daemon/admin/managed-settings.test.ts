import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Cap, clientUsageOf } from '../../../../daemon/admin/client-usage.ts'
import { managedSettingsIn } from '../../../../daemon/admin/managed-settings.ts'
import { hasProgram } from '../../../support/programs.ts'

test('the order of keys and white space change neither checksum nor id', () => {
  const one = managedSettingsIn('{"env":{"B":"2","A":"1"},"permissions":{"deny":["x","y"]}}')
  const two = managedSettingsIn('{ "permissions": {"deny": ["x", "y"]}, "env": {"A": "1", "B": "2"} }')
  expect([two.checksum, two.uuid]).toEqual([one.checksum, one.uuid])
  expect(one.uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/)
  expect(managedSettingsIn('{"permissions":{"deny":["y","x"]},"env":{"A":"1","B":"2"}}').checksum).not.toBe(
    one.checksum,
  )
})

test.skipIf(!hasProgram('python3'))('the checksum is what Python makes of the sorted JSON', () => {
  const text = '{"b":[{"d":1,"c":"é"}],"a":{"z":null,"y":true}}'
  const program = `import hashlib,json,sys
print(hashlib.sha256(json.dumps(json.loads(sys.argv[1]),sort_keys=True,separators=(',',':'),ensure_ascii=False).encode()).hexdigest())`
  const digest = execFileSync('python3', ['-c', program, text], { encoding: 'utf8' }).trim()
  expect(managedSettingsIn(text).checksum).toBe(`sha256:${digest}`)
})

const cap = (window: Cap['window'], spent: number, limit: number): Cap => ({
  window,
  spent,
  limit,
  resetMs: 1_790_000_000_000,
})

test('the fullest cap is the one that the dollars are about', () => {
  const usage = clientUsageOf([cap('month', 1_000_000, 100_000_000), cap('day', 8_000_000, 10_000_000)])
  expect(usage.extra_usage).toEqual({
    is_enabled: true,
    monthly_limit: 1_000,
    used_credits: 800,
    utilization: 80,
    currency: 'USD',
  })
  expect(usage.limits.map(({ group, percent, severity, is_active }) => [group, percent, severity, is_active])).toEqual([
    ['daily', 80, 'warning', true],
    ['monthly', 1, 'normal', false],
  ])
})

test('without a cap there is none, and not one of nothing', () => {
  expect(clientUsageOf([])).toMatchObject({
    extra_usage: { is_enabled: false, monthly_limit: null, utilization: null },
    limits: [],
  })
})

test('whatever the amounts, numbers are finite and not negative', () => {
  const amount = fc.integer({ min: 0, max: 10 ** 12 })
  fc.assert(
    fc.property(amount, amount, (spent, limit) => {
      const { extra_usage: extra } = clientUsageOf([cap('week', spent, limit)])
      const numbers = [extra.monthly_limit, extra.used_credits, extra.utilization]
      return numbers.every((number) => number !== null && Number.isFinite(number) && number >= 0)
    }),
  )
})
