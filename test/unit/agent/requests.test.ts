import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseRequest } from '../../../agent/agent.ts'
import { AgentRefusal } from '../../../agent/agent-error.ts'
import { checkImage, checkUnit, unitsOf } from '../../../agent/allow-list.ts'
import { parseLine } from '../../../agent/connection.ts'
import { readStates } from '../../../agent/units.ts'
import { shellInput, shellRequest } from '../../../schemas/shell.ts'

const parseShell = (line: string) => parseLine(shellRequest, line, 'there is: shell')

const refusalOf = (line: string, parse: (line: string) => unknown = parseRequest): AgentRefusal => {
  try {
    parse(line)
  } catch (error) {
    if (error instanceof AgentRefusal) return error
    throw error
  }
  throw new Error('it was taken')
}

test.each([
  { line: '', code: 'BAD_REQUEST', message: 'the line is not valid JSON' },
  { line: '[]', code: 'BAD_REQUEST', message: 'request: ' },
  { line: '{"op":"exec"}', code: 'UNKNOWN_OP', message: 'op: ' },
  { line: '{}', code: 'UNKNOWN_OP', message: 'op: ' },
  { line: '{"op":"status","user":"root"}', code: 'BAD_REQUEST', message: 'unknown key user' },
  { line: '{"op":"start","unit":"--global"}', code: 'BAD_REQUEST', message: 'unit: ' },
  { line: '{"op":"start","unit":"a.mount"}', code: 'BAD_REQUEST', message: 'unit: ' },
  { line: '{"op":"start","unit":"*.service"}', code: 'BAD_REQUEST', message: 'unit: ' },
  { line: '{"op":"stop","timeout_seconds":0}', code: 'BAD_REQUEST', message: 'timeout_seconds: ' },
  { line: '{"op":"logs","lines":10001}', code: 'BAD_REQUEST', message: 'lines: ' },
  { line: '{"op":"shell","into":"container","rows":24,"columns":80}', code: 'UNKNOWN_OP', message: 'op: ' },
])('refuses $line', ({ line, code, message }) => {
  const refusal = refusalOf(line)
  expect(refusal.code).toBe(code)
  expect(refusal.message).toContain(message)
})

const SHELL = { op: 'shell', backend: 'a', into: 'container', rows: 24, columns: 80 }

test.each([
  { change: { op: 'status' }, code: 'UNKNOWN_OP', message: 'op: ' },
  { change: { backend: undefined }, code: 'BAD_REQUEST', message: 'backend' },
  { change: { rows: 0 }, code: 'BAD_REQUEST', message: 'rows: ' },
  { change: { term: '$(id)' }, code: 'BAD_REQUEST', message: 'term: ' },
  { change: { command: 'id' }, code: 'BAD_REQUEST', message: 'unknown key command' },
])('on the shell socket refuses $change', ({ change, code, message }) => {
  expect(parseShell(JSON.stringify(SHELL))).toMatchObject(SHELL)
  const refusal = refusalOf(JSON.stringify({ ...SHELL, ...change }), parseShell)
  expect(refusal.code).toBe(code)
  expect(refusal.message).toContain(message)
})

test('any line is a request or a short refusal with a code', () => {
  const lines = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 300 }),
    fc.json(),
    fc
      .record({ op: fc.constantFrom('status', 'start', 'logs', 'events', 'shell', 'pull', '__proto__') })
      .map((r) => JSON.stringify(r)),
    fc
      .dictionary(fc.constantFrom('op', 'unit', 'lines', 'rows', 'columns', 'into', '__proto__'), fc.jsonValue())
      .map((record) => JSON.stringify({ op: 'start', ...record })),
  )
  fc.assert(
    fc.property(lines, (line) => {
      let refusal: unknown
      try {
        parseRequest(line)
        return
      } catch (error) {
        refusal = error
      }
      expect(refusal).toBeInstanceOf(AgentRefusal)
      expect(String(refusal).length).toBeLessThan(1200)
    }),
    { numRuns: 2000 },
  )
})

const ALLOW = {
  service: 'gate-a.service',
  onDemand: { socket: 'gate-a.socket', proxy: 'gate-a-proxy.service' },
  container: 'gate-a',
  images: ['example.org/a@sha256:1'],
  archive: undefined,
}

test('only units and images of the list may be touched', () => {
  for (const unit of unitsOf(ALLOW)) checkUnit(ALLOW, unit)
  checkImage(ALLOW, 'example.org/a@sha256:1')
  expect(() => checkUnit(ALLOW, 'gate-b.service')).toThrow(/may not touch gate-b.service/)
  expect(() => checkUnit(ALLOW, 'gate-a')).toThrow(AgentRefusal)
  expect(() => checkImage(ALLOW, 'example.org/a')).toThrow(/may not pull example.org\/a/)
})

test('reads the states that systemctl prints', () => {
  const text =
    'ExecMainStatus=3\nNRestarts=2\nId=gate-a.service\nLoadState=loaded\nActiveState=failed\nSubState=failed\n' +
    'Result=exit-code\nActiveEnterTimestamp=@1795200000\nMemoryCurrent=[not set]\n\n' +
    'Id=gate-a.socket\nLoadState=loaded\nActiveState=active\nSubState=listening\nResult=success\nActiveEnterTimestamp=\nMemoryCurrent=4096\n'
  expect(readStates(text)).toEqual([
    {
      unit: 'gate-a.service',
      load: 'loaded',
      active: 'failed',
      sub: 'failed',
      result: 'exit-code',
      exit_status: 3,
      restarts: 2,
      active_since: '2026-11-20T18:40:00.000Z',
    },
    {
      unit: 'gate-a.socket',
      load: 'loaded',
      active: 'active',
      sub: 'listening',
      result: 'success',
      exit_status: 0,
      restarts: 0,
      memory_bytes: 4096,
    },
  ])
})

test.each([
  { name: 'runs, or never ran', code: 0, status: 0, expected: undefined },
  { name: 'ended well', code: 1, status: 0, expected: 0 },
  { name: 'failed', code: 1, status: 3, expected: 3 },
  { name: 'was killed inside, as its watcher tells', code: 1, status: 137, expected: 137 },
  { name: 'was killed with its watcher', code: 2, status: 9, expected: 137 },
  { name: 'dumped core', code: 3, status: 6, expected: 134 },
])('the exit code of a container that $name', ({ code, status, expected }) => {
  const [state] = readStates(`Id=gate-a.service\nExecMainCode=${code}\nExecMainStatus=${status}\n`)
  expect(state?.exit_code).toBe(expected)
})

test.each([
  { input: { type: 'input', data: 'aGk=' }, taken: true },
  { input: { type: 'input', data: 'no base64!' }, taken: false },
  { input: { type: 'resize', rows: 50, columns: 200 }, taken: true },
  { input: { type: 'resize', rows: 50, columns: 1e9 }, taken: false },
])('what is said while a shell runs: $input, taken: $taken', ({ input, taken }) => {
  expect(shellInput.safeParse(input).success).toBe(taken)
})
