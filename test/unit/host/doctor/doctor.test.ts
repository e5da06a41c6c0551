import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { compile } from '../../../../compiler/compile.ts'
import { gatewayNames } from '../../../../compiler/ir/names.ts'
import { type AnyCheck, anyCheck, type Check, type Subject } from '../../../../host/doctor/check.ts'
import { CHECKS } from '../../../../host/doctor/checks.ts'
import { examine } from '../../../../host/doctor/doctor.ts'
import { command, fail, listed, ok } from '../../../../host/doctor/finding.ts'
import { runProgram } from '../../../../host/doctor/look.ts'
import { NOT_THERE } from '../../../../host/program.ts'
import { sh } from '../../../../syntax/shell/print.ts'

const SUBJECT: Subject = {
  names: gatewayNames(undefined),
  spec: { kind: 'none' },
  deployment: undefined,
  isApplied: true,
  isRoot: false,
  env: {},
  version: '1.0.0',
  daemon: Promise.resolve({ kind: 'silent', reason: 'no program listens', hint: undefined }),
}
const check = (name: string, examine: AnyCheck['examine']): AnyCheck => ({ name, summary: `of ${name}`, examine })

test('E4 before the first apply nothing is asked of what it makes', async () => {
  const asked: boolean[] = []
  const observing = (isForApplied: boolean) =>
    anyCheck({
      name: 'x',
      summary: 'x',
      ...(isForApplied ? { isForApplied } : {}),
      observe: async ({ deployment }) => deployment !== undefined,
      judge: (isThere) => {
        asked.push(isThere)
        return [ok('seen')]
      },
    })
  const deployment = { containers: [] } as unknown as Subject['deployment']
  for (const isApplied of [true, false])
    for (const isForApplied of [true, false])
      await examine([observing(isForApplied)], { ...SUBJECT, deployment, isApplied })
  expect(asked).toEqual([true, true, false, true])
})

test('counts the findings and keeps the order of the checks, whichever ends first', async () => {
  const slow = Promise.withResolvers<void>()
  const first = check('a', async () => {
    await slow.promise
    return [ok('late'), fail('bad', 'why', command(sh`x`))]
  })
  const second = check('b', async () => {
    slow.resolve()
    return [ok('early')]
  })
  const { findings, counts } = await examine([first, second], SUBJECT)
  expect(findings.map(({ check: name, what }) => `${name} ${what}`)).toEqual(['a late', 'a bad', 'b early'])
  expect(counts).toEqual({ ok: 2, warn: 0, fail: 1, skip: 0 })
})

test('leaves a check behind that does not end, kills what it runs, and goes on', async () => {
  const killed = Promise.withResolvers<number>()
  const hangs = check('hangs', async (_, signal) => {
    const { code } = await runProgram(['sh', '-c', 'sleep 600 & wait'], signal) // whose child keeps the output open
    killed.resolve(code)
    return new Promise<never>(() => {})
  })
  const { findings } = await examine([hangs, check('b', async () => [ok('fine')])], SUBJECT, {
    deadlineMs: 50,
    concurrency: 1,
  })
  expect(findings).toMatchObject([
    { check: 'hangs', status: 'warn', what: 'no answer within 0.05 s', why: expect.stringContaining('of hangs') },
    { check: 'b', status: 'ok' },
  ])
  expect(await killed.promise).toBe(124)
})

test('a check that breaks is a warning, and the others are not lost', async () => {
  const breaks = check('breaks', async () => {
    throw new TypeError('surprise')
  })
  const { findings } = await examine([breaks, check('b', async () => [ok('fine')])], SUBJECT)
  expect(findings).toMatchObject([{ check: 'breaks', status: 'warn', why: 'surprise' }, { status: 'ok' }])
})

test('runs as many checks at a time as it may', async () => {
  let [running, most] = [0, 0]
  const checks = Array.from({ length: 9 }, (_, i) =>
    check(`c${i}`, async () => {
      most = Math.max(most, ++running)
      await new Promise(setImmediate)
      running--
      return []
    }),
  )
  await examine(checks, SUBJECT, { deadlineMs: 10_000, concurrency: 3 })
  expect(most).toBe(3)
})

const CONTAINERS: Check<null> = {
  name: 'x',
  summary: 'x',
  isForContainers: true,
  observe: async () => null,
  judge: () => [fail('no crun', 'why', command(sh`apt-get install crun`))],
}
const deploymentOf = (text: string) => {
  const compiled = compile(text, { targets: [] })
  if (compiled.kind === 'refused') throw new Error('the spec must compile')
  return compiled.deployment
}
test.each([
  { name: 'without a spec', deployment: undefined, status: 'warn' },
  { name: 'without backends', deployment: deploymentOf(''), status: 'ok' },
  {
    name: 'with a backend',
    deployment: deploymentOf(
      `[backends.qwen]\nengine = "llama-cpp"\nimage = "example.org/a@sha256:${'0'.repeat(64)}"\nmodel = "a.gguf"\n`,
    ),
    status: 'fail',
  },
])('what only containers need weighs $status $name', async ({ deployment, status }) => {
  const findings = await anyCheck(CONTAINERS).examine({ ...SUBJECT, deployment }, AbortSignal.timeout(1_000))
  expect(findings).toMatchObject([{ status }])
})

test('every check ends here, whatever this machine is, and what it finds wrong has a why and a fix', async () => {
  const { findings } = await examine(CHECKS, { ...SUBJECT, isRoot: process.getuid?.() === 0 })
  expect(new Set(findings.map(({ check: name }) => name)).size).toBe(CHECKS.length)
  const incomplete = findings.filter(
    ({ status, why, fix }) => (status === 'warn' || status === 'fail') && (!why || !fix),
  )
  expect(incomplete).toEqual([])
  expect(findings.filter(({ what }) => what === 'could not be checked')).toEqual([])
})

test('names of checks are unique, and the manual tells all of them', () => {
  const names = CHECKS.map(({ name }) => name)
  expect(new Set(names).size).toBe(names.length)
  const manual = readFileSync(join(import.meta.dirname, '../../../../docs/doctor.md'), 'utf8')
  const rows = CHECKS.map(({ name, summary }) => `| \`${name}\` | ${summary} |`)
  expect(manual.split('\n').filter((line) => line.startsWith('| `'))).toEqual(rows)
})

test('a program that is not there gives what a shell gives', async () => {
  const { code } = await runProgram(['gate-no-such-program'], AbortSignal.timeout(1_000))
  expect(code).toBe(NOT_THERE)
})

test('a list fits a line', () => {
  expect([[], ['a'], ['a', 'b'], ['a', 'b', 'c', 'd', 'e', 'f']].map((names) => listed(names))).toEqual([
    '',
    'a',
    'a and b',
    'a, b, c and 3 more',
  ])
})
