import { chmodSync, closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { notifyLines, openNotify, startWatchdog, watchdogIntervalMs } from '../../../../daemon/process/notify.ts'
import type { LogFields } from '../../../../schemas/words/log.ts'

let dir = ''
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'gate-notify-'))
})
afterEach(() => {
  vi.useRealTimers()
  rmSync(dir, { recursive: true, force: true })
})

const silent = () => {}

test.each([
  { message: { READY: 1, STATUS: 'serving' }, expected: ['READY=1', 'STATUS=serving'] },
  { message: { RELOADING: 1 }, expected: ['RELOADING=1', 'MONOTONIC_USEC=1234567'] },
  { message: { STATUS: 'a\nREADY=1\r\nb' }, expected: ['STATUS=a READY=1 b'] },
  { message: { STOPPING: 1, EXTEND_TIMEOUT_USEC: 5_000_000 }, expected: ['STOPPING=1', 'EXTEND_TIMEOUT_USEC=5000000'] },
] as const)('writes $message as assignments', ({ message, expected }) => {
  expect(notifyLines(message, 1_234_567n)).toEqual(expected)
})

test('sends nothing and keeps the descriptor untouched when systemd does not listen', async () => {
  const file = join(dir, 'out')
  const fd = openSync(file, 'a')
  await openNotify({ env: {}, fd, log: silent })({ READY: 1 })
  closeSync(fd)
  expect(readFileSync(file, 'utf8')).toBe('')
})

test('writes one message per call to the descriptor, in the order called, and hides the socket from children', async () => {
  const file = join(dir, 'out')
  const fd = openSync(file, 'a')
  const env = { NOTIFY_SOCKET: '/run/systemd/notify' }
  const notify = openNotify({ env, fd, log: silent })
  const calls = Array.from({ length: 50 }, (_, i) => notify({ STATUS: `step ${i}.` }))
  await Promise.all(calls)
  closeSync(fd)
  expect(readFileSync(file, 'utf8')).toBe(Array.from({ length: 50 }, (_, i) => `STATUS=step ${i}.`).join(''))
  expect(env).toEqual({})
})

test('runs systemd-notify when no descriptor was passed, one at a time', async () => {
  const out = join(dir, 'out')
  const program = join(dir, 'systemd-notify')
  writeFileSync(
    program,
    `#!/bin/sh\nsleep "0.0$((9 - $(wc -c <'${out}')))"\nprintf '%s|' "$@" "$NOTIFY_SOCKET" >>'${out}'\n`,
  )
  chmodSync(program, 0o755)
  writeFileSync(out, '')
  const env = { NOTIFY_SOCKET: '@s', PATH: `${dir}:/usr/bin:/bin` }
  const notify = openNotify({ env, fd: undefined, log: silent })
  await Promise.all([notify({ READY: 1 }), notify({ WATCHDOG: 1 })])
  expect(readFileSync(out, 'utf8')).toBe('READY=1|@s|WATCHDOG=1|@s|')
})

test.each([
  { name: 'a closed descriptor', fd: 9_999, error: /EBADF/ },
  { name: 'no program', fd: undefined, error: /ENOENT/ },
])('logs a failure once and goes on: $name', async ({ fd, error }) => {
  const lines: (LogFields | undefined)[] = []
  const notify = openNotify({
    env: { NOTIFY_SOCKET: '/nowhere', PATH: dir },
    fd,
    log: (_level, _message, fields) => lines.push(fields),
  })
  await notify({ READY: 1 })
  await notify({ WATCHDOG: 1 })
  expect(lines).toEqual([{ error: expect.stringMatching(error) }])
})

test.each([
  { name: 'not asked for', env: {}, expected: undefined },
  { name: 'a quarter of the time allowed', env: { WATCHDOG_USEC: '30000000' }, expected: 7_500 },
  { name: 'this process', env: { WATCHDOG_USEC: '30000000', WATCHDOG_PID: '7' }, expected: 7_500 },
  { name: 'another process', env: { WATCHDOG_USEC: '30000000', WATCHDOG_PID: '8' }, expected: undefined },
  { name: 'nonsense', env: { WATCHDOG_USEC: 'soon' }, expected: undefined },
  { name: 'zero', env: { WATCHDOG_USEC: '0' }, expected: undefined },
])('looks at the event loop: $name', ({ env, expected }) => {
  expect(watchdogIntervalMs(env, 7)).toBe(expected)
})

test('feeds the watchdog until stopped, and hides it from children', async () => {
  const fed = { first: 0, second: 0 }
  const env = { WATCHDOG_USEC: '1200000', WATCHDOG_PID: String(process.pid) }
  const stopFirst = startWatchdog(env, async () => void fed.first++, silent)
  await vi.waitUntil(() => fed.first === 2, { timeout: 15_000 })
  expect(env).toEqual({})
  stopFirst()
  const stopSecond = startWatchdog({ WATCHDOG_USEC: '1200000' }, async () => void fed.second++, silent)
  await vi.waitUntil(() => fed.second === 2, { timeout: 15_000 })
  stopSecond()
  expect(fed.first).toBe(2)
})

test('stops feeding the watchdog while every turn of the event loop is slow, and feeds it again afterwards', async () => {
  let fed = 0
  const logged: string[] = []
  const stop = startWatchdog(
    { WATCHDOG_USEC: '1200000' },
    async () => void fed++,
    (_level, message) => logged.push(message),
  )
  await vi.waitUntil(() => fed >= 1, { timeout: 15_000 })
  for (let turn = 0; turn < 4; turn++) {
    const untilMs = performance.now() + 700
    while (performance.now() < untilMs);
    await new Promise((resolve) => setTimeout(resolve, 0))
  }
  expect(logged).toContain('event loop is too slow')
  const before = fed
  await vi.waitUntil(() => fed > before, { timeout: 15_000 })
  stop()
})
