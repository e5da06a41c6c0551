import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { openStorage } from '../../../../daemon/assembly/storage.ts'
import { canMount, fill, mountSmall } from '../../../support/full-disk.ts'
import { keyringOf } from '../../../support/keyring.ts'
import { temporaryDirectory } from '../../../support/temporary-directory.ts'
import { usageRow } from '../../../support/usage-row.ts'

let outer: ReturnType<typeof temporaryDirectory>
let state: string
let logged: string[]
let clockMs = 0
let unmount = () => {}
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  outer = temporaryDirectory()
  state = join(outer.path, 'state')
  mkdirSync(state)
  logged = []
  if (canMount) unmount = mountSmall(state)
})
afterEach(() => {
  vi.useRealTimers()
  unmount()
  outer.remove()
})

const open = () =>
  openStorage({
    stateDirectory: state,
    keyring: keyringOf(state, {}, () => clockMs),
    fingerprintKey: Buffer.alloc(32),
    log: (_level, message) => void logged.push(message),
    now: () => Date.now(),
    monotonic: () => clockMs,
    alert: () => {},
  })

const ROW = usageRow({ startedAt: 1, outputTokens: 2 })

test.skipIf(!canMount).each([
  { name: 'at the first start', before: false },
  { name: 'at a later one', before: true },
])(
  'a full disk $name: keys are known, the rest is refused until there is room (needs root, for a small tmpfs)',
  async ({ before }) => {
    let token = ''
    let sealed = ''
    if (before) {
      const first = open()
      token = first.tokens.create('old', ['admin'], null).token
      await first.ledger.settle(ROW)
      first.answers.put('k', 'resp', 1, 'text')
      await first.stop()
      sealed = readFileSync(join(state, 'keyring.json'), 'utf8')
    }
    const filler = fill(state)
    const storage = open()
    try {
      expect(storage.isOpen()).toBe(false)
      expect(storage.tokens.find(token) !== null).toBe(before)
      expect(storage.tokens.list()).toHaveLength(before ? 1 : 0)
      expect(() => storage.tokens.create('new', ['admin'], null)).toThrow('its disk is full')
      expect(storage.ledger.refusal()).toContain('the disk of the state directory was full')
      expect(storage.lastError()).toContain('free space on its disk')
      expect(logged[0]).toContain('the disk of the state directory is full')
      vi.advanceTimersByTime(5_000)
      expect(storage.isOpen()).toBe(false)

      rmSync(filler)
      vi.advanceTimersByTime(1_000)
      clockMs += 1_000
      expect(storage.isOpen()).toBe(true)
      expect([storage.ledger.refusal(), storage.lastError()]).toEqual([null, null])
      expect(storage.tokens.find(token) !== null).toBe(before)
      const { token: made } = storage.tokens.create('new', ['admin'], null)
      expect(storage.tokens.find(made)).not.toBeNull()
      await storage.ledger.settle({ ...ROW, requestId: 's' })
      const { total } = await storage.usage({ since: 0, until: 1 }, AbortSignal.timeout(60_000))
      expect(total.requests).toBe(before ? 2 : 1)
      if (before) expect(storage.answers.get('k', 'resp', 0)).toBe('text')
      storage.answers.put('k', 'other', 1, 'more')
      expect(storage.answers.get('k', 'other', 0)).toBe('more')
      if (before) expect(readFileSync(join(state, 'keyring.json'), 'utf8')).toBe(sealed)
    } finally {
      await storage.stop()
    }
  },
)
