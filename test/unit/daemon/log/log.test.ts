import { expect, test } from 'vitest'
import { createLog, type LogOptions } from '../../../../daemon/log/log.ts'
import { logRecord } from '../../../../schemas/admin.ts'
import type { LogFields, LogRecord } from '../../../../schemas/words/log.ts'

const NOW = Date.parse('2026-11-20T12:00:00.123Z')

function logTo(options: Partial<LogOptions> = {}) {
  const lines: string[] = []
  const write = (line: string) => void lines.push(line)
  return { lines, ...createLog({ write, level: 'info', format: 'json', journal: false, now: () => NOW, ...options }) }
}

test('writes one JSON object per line', () => {
  const { log, lines } = logTo()
  log('info', 'request answered', { status: 200, upstream: 'echo' })
  expect(lines).toEqual([
    '{"time":"2026-11-20T12:00:00.123Z","level":"info","message":"request answered","status":200,"upstream":"echo"}\n',
  ])
})

test('writes aligned text with fields quoted where needed', () => {
  const { log, lines } = logTo({ format: 'text' })
  log('warn', 'upstream failed', { upstream: 'openai', error: 'a "b" c', duration_ms: 12 })
  expect(lines).toEqual([
    '2026-11-20T12:00:00.123Z warn  upstream failed upstream=openai error="a \\"b\\" c" duration_ms=12\n',
  ])
})

test.each([
  { level: 'error', prefix: '<3>' },
  { level: 'warn', prefix: '<4>' },
  { level: 'info', prefix: '<6>' },
  { level: 'debug', prefix: '<7>' },
] as const)('starts $level lines with $prefix in the journal', ({ level, prefix }) => {
  const { log, lines } = logTo({ journal: true, level: 'debug' })
  log(level, 'x')
  expect(lines[0]?.startsWith(`${prefix}{`)).toBe(true)
})

test('drops fields that are not on the list, have the wrong type or no value', () => {
  const { log, recent } = logTo()
  const fields = { authorization: 'Bearer canary', toString: 'x', status: 'x', count: Number.NaN, model: 'm' }
  log('info', 'x', fields as unknown as LogFields)
  expect(recent(1)).toEqual([{ time: '2026-11-20T12:00:00.123Z', level: 'info', message: 'x', model: 'm' }])
})

test.each(['json', 'text'] as const)('keeps a %s line one line, whatever it contains', (format) => {
  const { log, lines } = logTo({ format })
  const hostile = 'a\n<3>forged\r\u0085\u2028\u2029\u001b[2J\u009b31m\u202e\u0000'
  log('info', hostile, { error: hostile, path: hostile })
  expect(lines).toHaveLength(1)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: exactly what must not be there
  expect(lines[0]?.slice(0, -1)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e]/)
})

test('a JSON line gives the written text back', () => {
  const { log, lines } = logTo()
  const hostile = 'a\nb\u009b\u2028"\\ü'
  log('info', 'x', { error: hostile })
  expect((JSON.parse(lines[0] ?? '') as LogRecord).error).toBe(hostile)
})

test.each([
  { ms: 13.232394999999997, logged: 13 },
  { ms: 0.4, logged: 0 },
  { ms: 1.5, logged: 2 },
])('C9: $ms ms are logged as $logged', ({ ms, logged }) => {
  const { log, lines } = logTo()
  log('info', 'x', { duration_ms: ms, wait_ms: ms })
  expect(lines[0]).toContain(`"duration_ms":${logged},"wait_ms":${logged}}`)
})

test('cuts a string of more than 4,096 characters', () => {
  const { log, recent } = logTo()
  log('info', 'x', { error: 'e'.repeat(10_000) })
  expect(recent(1)[0]?.error).toBe(`${'e'.repeat(4_096)}…`)
})

test('writes and keeps nothing below the level, and follows its change', () => {
  const { log, lines, recent, setLevel } = logTo()
  log('debug', 'hidden')
  setLevel('debug')
  log('debug', 'shown')
  setLevel('error')
  log('warn', 'hidden')
  expect(lines).toHaveLength(1)
  expect(recent(10).map((r) => r.message)).toEqual(['shown'])
})

test('keeps the last 1,000 lines, oldest first', () => {
  const { log, recent } = logTo()
  for (let i = 0; i < 2_500; i++) log('info', 'x', { count: i })
  expect(recent(5_000).map((r) => r.count)).toEqual(Array.from({ length: 1_000 }, (_, i) => i + 1_500))
  expect(recent(2).map((r) => r.count)).toEqual([2_498, 2_499])
  expect(recent(0)).toEqual([])
})

test('tells followers until they stop', () => {
  const { log, follow } = logTo()
  const seen: string[] = []
  const stop = follow((record) => void seen.push(record.message))
  log('info', 'one')
  stop()
  log('info', 'two')
  expect(seen).toEqual(['one'])
})

test('keeps records of the shape that the admin API promises', () => {
  const { log, recent } = logTo()
  log('error', 'x', { request_id: 'r', status: 500, line: 1 })
  expect(() => logRecord.parse(recent(1)[0])).not.toThrow()
})

test('no line shows a key, nor what is to be hidden', () => {
  const { log, lines, hide, recent } = logTo()
  const key = `gate_${'aB3-_'.repeat(9)}`.slice(0, 48)
  hide('secret-of-the-config')
  log('info', `asked with ${key}`, {
    path: `/v1/models/${key}`,
    model: 'secret-of-the-config',
    error: 'x'.repeat(4_090) + key,
  })
  expect(lines[0]).not.toContain(key.slice(0, 12))
  expect(lines[0]).not.toContain('secret-of-the-config')
  expect(recent(1)).toMatchObject([{ message: 'asked with gate_[redacted]', path: '/v1/models/gate_[redacted]' }])
  hide(undefined)
  log('info', 'secret-of-the-config')
  hide('short')
  log('info', 'a short word')
  expect(recent(2).map(({ message }) => message)).toEqual(['secret-of-the-config', 'a short word'])
})
