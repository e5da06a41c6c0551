import { type ChildProcess, spawn } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createLifecycle, installSignals, type StopWork } from '../../../../daemon/process/lifecycle.ts'
import type { NotifyMessage } from '../../../../daemon/process/notify.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

function setUp() {
  const sent: NotifyMessage[] = []
  const logged: string[] = []
  const statuses: unknown[] = []
  const lifecycle = createLifecycle({
    log: (level, message, fields) => {
      logged.push([level, message, fields?.task, fields?.error].filter(Boolean).join(' '))
      if (message === 'stopped') statuses.push(fields?.status)
    },
    notify: async (message) => void sent.push(message),
    drainDeadlineMs: () => 1_000,
    now: () => performance.now(),
  })
  return { lifecycle, sent, logged, statuses }
}

/** Work that ends when told to, or when its signal aborts. */
function untilReleased() {
  const { promise, resolve } = Promise.withResolvers<void>()
  const seen: string[] = []
  const work: StopWork = (signal) => {
    seen.push('begun')
    signal.addEventListener('abort', () => {
      seen.push(String((signal.reason as Error).message))
      resolve()
    })
    return promise
  }
  return { work, release: resolve, seen }
}

const settle = () => vi.advanceTimersByTimeAsync(0)

describe('states', () => {
  test('starting, ready, reloading, ready, draining, stopped', async () => {
    const { lifecycle, sent } = setUp()
    const seen = [lifecycle.state()]
    await lifecycle.ready()
    seen.push(lifecycle.state())
    lifecycle.onReload('config', () => void seen.push(lifecycle.state()))
    await lifecycle.reload()
    seen.push(lifecycle.state())
    lifecycle.onDrain('requests', () => void seen.push(lifecycle.state()))
    expect(await lifecycle.stop('SIGTERM')).toBe(0)
    seen.push(lifecycle.state())
    expect(seen).toEqual(['starting', 'ready', 'reloading', 'ready', 'draining', 'stopped'])
    expect(sent).toEqual([
      { READY: 1, STATUS: 'serving' },
      { RELOADING: 1, STATUS: 'reloading' },
      { READY: 1, STATUS: 'serving' },
      { STOPPING: 1, STATUS: 'draining', EXTEND_TIMEOUT_USEC: 8_000_000 },
      { STATUS: 'stopped' },
    ])
  })

  test.each([
    { name: 'that failed', before: [] },
    { name: 'that failed while it was being stopped', before: ['SIGTERM'] },
  ])('a start $name: the log and the exit code say so, however cleanly all ends', async ({ before }) => {
    const { lifecycle, statuses } = setUp()
    for (const reason of before) void lifecycle.stop(reason)
    expect(await lifecycle.stop('could not start', true)).toBe(1)
    expect(statuses).toEqual([1])
  })

  test('a daemon stopped while starting never says that it is ready', async () => {
    const { lifecycle, sent } = setUp()
    const stopped = lifecycle.stop('SIGTERM')
    await lifecycle.ready()
    expect(await stopped).toBe(0)
    expect(sent.filter((message) => 'READY' in message)).toEqual([])
  })
})

describe('reload', () => {
  test('requests during a reload are served by one more run after it', async () => {
    const { lifecycle } = setUp()
    const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    let runs = 0
    lifecycle.onReload('config', () => gates[runs++]?.promise)
    await lifecycle.ready()
    const first = lifecycle.reload()
    await settle()
    const later = [lifecycle.reload(), lifecycle.reload(), lifecycle.reload()]
    await settle()
    expect(runs).toBe(1)
    gates[0]?.resolve()
    await first
    await settle()
    expect(runs).toBe(2)
    gates[1]?.resolve()
    expect(await Promise.all(later)).toEqual([{ kind: 'done' }, { kind: 'done' }, { kind: 'done' }])
    expect(runs).toBe(2)
    expect(lifecycle.state()).toBe('ready')
  })

  test('a failing reload goes back to ready, and says so in the log and the status', async () => {
    const { lifecycle, sent, logged } = setUp()
    const error = new Error('config.toml:3:1: not a number')
    let second = 0
    lifecycle.onReload('config', () => {
      throw error
    })
    lifecycle.onReload('limits', () => void second++)
    await lifecycle.ready()
    expect(await lifecycle.reload()).toEqual({ kind: 'failed', error })
    expect(second).toBe(0)
    expect(lifecycle.state()).toBe('ready')
    expect(sent.at(-1)).toEqual({
      READY: 1,
      STATUS: 'reload failed, serving as before: config.toml:3:1: not a number',
    })
    expect(logged).toContain('error reload failed, serving as before config config.toml:3:1: not a number')
  })

  test.each([
    { state: 'starting', before: async () => {} },
    { state: 'stopped', before: (l: ReturnType<typeof setUp>['lifecycle']) => l.stop('test') },
  ])('is ignored while $state', async ({ state, before }) => {
    const { lifecycle } = setUp()
    let runs = 0
    lifecycle.onReload('config', () => void runs++)
    await before(lifecycle)
    expect(await lifecycle.reload()).toEqual({ kind: 'ignored', state })
    expect(runs).toBe(0)
  })

  test('a reload overtaken by a stop does not make the daemon ready again, and resources outlive it', async () => {
    const { lifecycle, sent } = setUp()
    const gate = Promise.withResolvers<void>()
    const order: string[] = []
    lifecycle.onReload('config', async () => {
      await gate.promise
      order.push('reloaded')
    })
    lifecycle.onDrain('requests', () => void order.push('drained'))
    lifecycle.onStop('store', () => void order.push('closed'))
    await lifecycle.ready()
    const reloading = lifecycle.reload()
    const queued = lifecycle.reload()
    const stopped = lifecycle.stop('SIGTERM')
    await settle()
    expect(order).toEqual(['drained'])
    gate.resolve()
    expect(await stopped).toBe(0)
    expect(order).toEqual(['drained', 'reloaded', 'closed'])
    expect((await reloading).kind).toBe('done')
    expect((await queued).kind).toBe('ignored')
    expect(sent.filter((message) => 'READY' in message)).toHaveLength(1)
  })
})

describe('stop', () => {
  test('drains one after the other in the order added, then releases', async () => {
    const { lifecycle } = setUp()
    const order: string[] = []
    const gateway = untilReleased()
    lifecycle.onStop('rows', () => void order.push('rows'))
    lifecycle.onDrain('gateway', gateway.work)
    lifecycle.onDrain('admin', () => void order.push('admin'))
    lifecycle.onStop('store', () => void order.push('store'))
    const stopped = lifecycle.stop('SIGTERM')
    await settle()
    expect(order).toEqual([])
    gateway.release()
    expect(await stopped).toBe(0)
    expect(order).toEqual(['admin', 'rows', 'store'])
  })

  test('cuts off what outlives the deadline, still releases, exits 1', async () => {
    const { lifecycle } = setUp()
    const gateway = untilReleased()
    let closed = 0
    lifecycle.onDrain('gateway', gateway.work)
    lifecycle.onStop('store', (signal) => {
      expect(signal.aborted).toBe(false)
      closed++
    })
    const stopped = lifecycle.stop('SIGTERM')
    await vi.advanceTimersByTimeAsync(999)
    expect(gateway.seen).toEqual(['begun'])
    await vi.advanceTimersByTimeAsync(1)
    expect(await stopped).toBe(1)
    expect(gateway.seen).toEqual(['begun', 'deadline of 1000 ms passed'])
    expect(closed).toBe(1)
  })

  test.each([
    { phase: 'drain', add: 'onDrain' as const, endMs: 2_000 },
    { phase: 'release', add: 'onStop' as const, endMs: 6_000 },
  ])('leaves behind a $phase that does not end when cut off', async ({ add, endMs }) => {
    const { lifecycle, logged } = setUp()
    lifecycle[add]('stuck', () => new Promise(() => {}))
    let code: number | undefined
    const stopped = lifecycle.stop('SIGTERM').then((c) => {
      code = c
    })
    await vi.advanceTimersByTimeAsync(endMs - 1)
    expect(code).toBe(undefined)
    await vi.advanceTimersByTimeAsync(1)
    await stopped
    expect(code).toBe(1)
    expect(logged).toContain('error stop task failed stuck did not end after its deadline, abandoned')
  })

  test('goes on after a task that throws, exits 1', async () => {
    const { lifecycle, logged } = setUp()
    let closed = 0
    lifecycle.onDrain('gateway', () => {
      throw new Error('no such server')
    })
    lifecycle.onStop('store', () => void closed++)
    expect(await lifecycle.stop('SIGTERM')).toBe(1)
    expect(closed).toBe(1)
    expect(logged).toContain('error stop task failed gateway no such server')
  })

  test('stopping twice is stopping once', async () => {
    const { lifecycle } = setUp()
    let drains = 0
    lifecycle.onDrain('gateway', () => void drains++)
    const [a, b] = [lifecycle.stop('SIGTERM'), lifecycle.stop('admin')]
    expect(a).toBe(b)
    expect(await a).toBe(0)
    expect(drains).toBe(1)
  })

  test('a cut without a stop does nothing', async () => {
    const { lifecycle } = setUp()
    await lifecycle.ready()
    lifecycle.cut('nothing to cut')
    expect(await lifecycle.stop('SIGTERM')).toBe(0)
  })
})

describe('signals', () => {
  test.each([
    { name: 'one signal waits for requests', signals: [0], cutAtMs: undefined },
    { name: 'a second within 500 ms is the same one', signals: [0, 3, 499], cutAtMs: undefined },
    { name: 'a later one stops now', signals: [0, 500], cutAtMs: 500 },
  ])('$name', async ({ signals, cutAtMs }) => {
    const { lifecycle } = setUp()
    const gateway = untilReleased()
    lifecycle.onDrain('gateway', gateway.work)
    const source = new EventEmitter()
    const remove = installSignals(source, lifecycle, () => performance.now())
    const startMs = performance.now()
    for (const atMs of signals) {
      await vi.advanceTimersByTimeAsync(startMs + atMs - performance.now())
      source.emit('SIGTERM', 'SIGTERM')
    }
    await settle()
    expect(gateway.seen).toEqual(cutAtMs === undefined ? ['begun'] : ['begun', 'second SIGTERM'])
    gateway.release()
    expect(await lifecycle.stopped).toBe(cutAtMs === undefined ? 0 : 1)
    remove()
    expect(source.eventNames()).toEqual([])
  })

  let child: ChildProcess | undefined
  afterEach(() => child?.kill('SIGKILL'))

  /** Starts the child and collects its lines. */
  async function start(drainMs: number, deadlineMs: number) {
    vi.useRealTimers()
    const script = join(import.meta.dirname, '../../../support/lifecycle-child.ts')
    const own = spawn(process.execPath, [script, String(drainMs), String(deadlineMs)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    child = own
    let text = ''
    own.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString()
    })
    const exited = once(own, 'close')
    const lines = () => text.split('\n').filter(Boolean)
    const saw = (line: string) => vi.waitUntil(() => lines().includes(line), { timeout: 10_000 })
    await saw('ready')
    return { own, saw, lines, exited }
  }

  test('SIGHUP reloads and SIGTERM drains a real process', async () => {
    const { own, saw, lines, exited } = await start(50, 10_000)
    own.kill('SIGHUP')
    await saw('reloaded')
    own.kill('SIGTERM')
    expect(await exited).toEqual([0, null])
    expect(lines()).toEqual(['ready', 'reloaded', 'draining SIGTERM', 'store closed', 'stopped'])
  })

  test('a second SIGINT stops a real process now', async () => {
    const { own, saw, lines, exited } = await start(60_000, 60_000)
    own.kill('SIGINT')
    await saw('draining SIGINT')
    const again = setInterval(() => own.kill('SIGINT'), 100)
    expect(await exited).toEqual([1, null])
    clearInterval(again)
    expect(lines()).toEqual(['ready', 'draining SIGINT', 'cut off second SIGINT', 'store closed', 'stopped'])
  })

  test('a real process whose drain outlives the deadline exits 1', async () => {
    const { own, lines, exited } = await start(60_000, 50)
    own.kill('SIGTERM')
    expect(await exited).toEqual([1, null])
    expect(lines()).toContain('cut off deadline of 50 ms passed')
  })
})
