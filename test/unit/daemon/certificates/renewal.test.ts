import { type AsyncCommand, assert, asyncModelRun, asyncProperty, commands, constant, integer } from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createAlarms } from '../../../../daemon/certificates/alarms.ts'
import type { Kept, Pair } from '../../../../daemon/certificates/kept.ts'
import type { Renewable } from '../../../../daemon/certificates/renewable.ts'
import { createRenewal } from '../../../../daemon/certificates/renewal.ts'
import { AcmeProblem } from '../../../../pki/acme/problem.ts'
import { makeIdentity } from '../../../support/identities.ts'
import { hasProgram } from '../../../support/programs.ts'

const NAME = 'ai.example.org'
const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS
const { signal } = new AbortController()

/** A renewal whose CA, clocks and disk are the test's. */
function world(certificates: readonly Pair[], before?: Kept) {
  let [wallMs, steadyMs] = [Date.now(), 0]
  let kept: Kept = before ?? { pair: undefined, meta: undefined }
  const errors: unknown[] = []
  let answer: 'issues' | 'fails' | 'limits' = 'issues'
  let isFull = false
  let [issued, changes] = [0, 0]
  const attempts: number[] = []
  const next = () => certificates[issued++ % certificates.length] as Pair

  const renewable: Renewable = {
    source: 'acme',
    names: [NAME],
    origin: () => 'ca',
    path: '/cert.pem',
    load: () => kept,
    save(pair, meta) {
      if (isFull) throw new Error('ENOSPC')
      kept = { pair: pair ?? kept.pair, meta }
    },
    async obtain() {
      attempts.push(steadyMs)
      if (answer === 'fails') throw new Error('the CA does not answer')
      if (answer === 'limits') throw new AcmeProblem('rateLimited', 'rateLimited', 429, 3 * HOUR_MS)
      return next()
    },
  }
  const start = () =>
    createRenewal(renewable, {
      now: () => wallMs,
      monotonic: () => steadyMs,
      random: () => 0,
      log: (level, _, fields) => void (level === 'error' && errors.push(fields?.error)),
      changed: () => changes++,
    })
  let renewal = start()
  const alarms = createAlarms({
    now: () => wallMs,
    monotonic: () => steadyMs,
    log: () => {},
    alert: () => {},
    send: () => Promise.reject(new Error('nobody')),
    webhook: () => undefined,
  })
  return {
    attempts,
    errors,
    alarm() {
      const status = renewal.status()
      alarms.note([status])
      return alarms.withAlarm(status).alarm
    },
    renewal: () => renewal,
    kept: () => kept,
    changes: () => changes,
    ca: (does: typeof answer) => {
      answer = does
    },
    disk: (full: boolean) => {
      isFull = full
    },
    /** The certificate cannot be read any more; what is known of it can. */
    lose: () => {
      kept = { ...kept, pair: undefined }
    },
    restart: () => {
      renewal = start()
    },
    jump: (ms: number) => {
      wallMs += ms
    },
    /** Lets time go by, with a look every ten minutes. */
    async pass(ms: number): Promise<void> {
      for (let left = ms; left > 0; left -= 10 * MINUTE_MS) {
        wallMs += Math.min(left, 10 * MINUTE_MS)
        steadyMs += Math.min(left, 10 * MINUTE_MS)
        await renewal.check(signal)
      }
    },
  }
}
type World = ReturnType<typeof world>

describe.skipIf(!hasProgram('openssl'))('a renewal (needs openssl)', () => {
  const certificates = hasProgram('openssl') ? [makeIdentity([NAME]), makeIdentity([NAME]), makeIdentity([NAME])] : []

  test('gets a certificate at once, and tells of it', async () => {
    const at = world(certificates)
    await at.renewal().check(signal)
    expect(at.renewal().identity()).toMatchObject({ names: [NAME], cert: certificates[0]?.cert })
    expect([at.attempts.length, at.changes()]).toEqual([1, 1])
    expect(at.renewal().status()).toMatchObject({
      renewals: { succeeded: 1, failed: 0 },
      renews_because: 'life',
      path: '/cert.pem',
    })
  })

  test('of which the kept files are damaged is got at once, and says so meanwhile', async () => {
    const meta = { origin: 'ca', failures: 0, retryAtMs: Date.now() + HOUR_MS, leftAloneUntilMs: 0 }
    const at = world(certificates, { pair: undefined, meta, damage: '/cert.pem is not a certificate in PEM' })
    expect(at.errors).toEqual(['/cert.pem is not a certificate in PEM'])
    expect(at.renewal().status().last_error?.message).toBe('/cert.pem is not a certificate in PEM')
    await at.renewal().check(signal)
    expect(at.renewal().identity()).toBeDefined()
    expect(at.renewal().status()).not.toHaveProperty('last_error')
  })

  test('attempts that fail wait 1, 10 and 100 minutes, then a day', async () => {
    const at = world(certificates)
    at.ca('fails')
    await at.renewal().check(signal)
    await at.pass(3 * DAY_MS)
    const waits = at.attempts.slice(1).map((ms, i) => (ms - (at.attempts[i] ?? 0)) / MINUTE_MS)
    expect(waits).toEqual([10, 10, 100, 1_440, 1_440]) // it looks every 10 minutes
    expect(at.renewal().status()).toMatchObject({
      renews_because: 'retry',
      last_error: { message: 'the CA does not answer' },
    })
  })

  test('a CA that asks to be left alone is, also when a certificate is asked for by hand', async () => {
    const at = world(certificates)
    at.ca('limits')
    await at.renewal().check(signal)
    await expect(at.renewal().renew(signal)).rejects.toThrow('180 more minutes')
    at.restart()
    await expect(at.renewal().renew(signal)).rejects.toThrow('180 more minutes')
    expect(at.attempts).toHaveLength(1)
  })

  test('what was asked for by hand does not wait for what failed', async () => {
    const at = world(certificates)
    at.ca('fails')
    await at.renewal().check(signal)
    at.ca('issues')
    await at.renewal().renew(signal)
    expect(at.renewal().identity()).toBeDefined()
  })

  test('failures of what was asked for by hand put off nothing', async () => {
    const at = world(certificates)
    at.ca('fails')
    await at.renewal().check(signal)
    for (let i = 0; i < 4; i++) await expect(at.renewal().renew(signal)).rejects.toThrow('does not answer')
    await at.pass(10 * MINUTE_MS)
    expect(at.attempts).toHaveLength(6)
  })

  test('what is lost from the disk is ordered at the start, though the last order was just now', async () => {
    const at = world(certificates)
    await at.renewal().check(signal)
    at.lose()
    at.restart()
    await at.renewal().check(signal)
    expect(at.attempts).toHaveLength(2)
    expect(at.renewal().identity()).toBeDefined()
  })

  test('two that ask at once get one certificate', async () => {
    const at = world(certificates)
    await Promise.all([at.renewal().renew(signal), at.renewal().renew(signal), at.renewal().check(signal)])
    expect(at.attempts).toHaveLength(1)
  })

  test('a full disk is tried again, and nothing is ordered for it', async () => {
    const at = world(certificates)
    at.disk(true)
    await at.renewal().check(signal)
    await at.pass(HOUR_MS)
    expect(at.renewal().status()).not.toHaveProperty('path')
    expect(at.alarm()).toMatchObject({ kind: 'not-kept', message: expect.stringMatching(/in memory alone.*ENOSPC$/) })
    at.disk(false)
    await at.pass(10 * MINUTE_MS)
    expect(at.kept().pair?.cert).toBe(certificates[0]?.cert)
    expect(at.alarm()).toBeUndefined()
    expect(at.attempts).toHaveLength(1)
  })

  test('a certificate for another name is not served', async () => {
    const at = world([makeIdentity(['other.example.org'])])
    await at.renewal().check(signal)
    expect(at.renewal().identity()).toBeUndefined()
    expect(at.renewal().status().last_error?.message).toContain('not for the name')
  })

  /** Whatever happens, in any order. */
  type Model = { hasServed: boolean }
  const step = (name: string, run: (at: World) => void | Promise<void>): AsyncCommand<Model, World> => ({
    check: () => true,
    toString: () => name,
    async run(model, at) {
      await run(at)
      await at.renewal().check(signal)
      const isServed = at.renewal().identity() !== undefined
      if (model.hasServed) expect(isServed, 'what was served once is served on').toBe(true)
      model.hasServed ||= isServed && at.kept().pair !== undefined
    },
  })

  test('serves on, and asks no CA more often than it may', async () => {
    const steps = [
      constant(step('the CA fails', (at) => at.ca('fails'))),
      constant(step('the CA limits', (at) => at.ca('limits'))),
      constant(step('the CA issues', (at) => at.ca('issues'))),
      constant(step('the disk is full', (at) => at.disk(true))),
      constant(step('the disk has room', (at) => at.disk(false))),
      constant(step('it starts again', (at) => at.restart())),
      integer({ min: 1, max: 72 }).map((hours) => step(`${hours} h go by`, (at) => at.pass(hours * HOUR_MS))),
      integer({ min: -800, max: 800 }).map((days) => step(`a jump of ${days} d`, (at) => at.jump(days * DAY_MS))),
    ]
    const never = asyncProperty(commands(steps, { maxCommands: 40 }), async (all) => {
      const at = world(certificates)
      await asyncModelRun(() => ({ model: { hasServed: false }, real: at }), all)
      const restarts = [...all].filter((command) => String(command) === 'it starts again').length
      for (const ms of at.attempts) {
        const within = at.attempts.filter((other) => other >= ms && other < ms + HOUR_MS).length
        expect(within, `attempts within an hour of ${ms}`).toBeLessThanOrEqual(3 + restarts)
      }
    })
    await assert(never, { numRuns: 100 })
  })
})
