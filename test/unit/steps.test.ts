import { expect, test } from 'vitest'
import { readTests, type StepResult, summary } from '../../scripts/steps.ts'

const root = `${process.cwd()}/`
const report = (...testResults: unknown[]) => JSON.stringify({ numTotalTests: 9, testResults })
const one = (title: string, status: string, ...ancestorTitles: string[]) => ({ ancestorTitles, title, status })

test('F1 a report names what was skipped and what failed by file, suite and title', () => {
  const text = report(
    {
      name: `${root}test/a.test.ts`,
      status: 'failed',
      assertionResults: [one('fine', 'passed'), one('wrong', 'failed', 'suite'), one('left (needs fish)', 'skipped')],
    },
    {
      name: `${root}test/b.test.ts`,
      status: 'passed',
      assertionResults: [one('later', 'todo'), one('off', 'pending')],
    },
  )
  expect(readTests(text)).toEqual({
    passed: 1,
    skipped: ['test/a.test.ts > left (needs fish)', 'test/b.test.ts > later', 'test/b.test.ts > off'],
    failed: ['test/a.test.ts > suite > wrong'],
  })
})

test.each([
  { name: 'that cannot be loaded', assertionResults: [] },
  { name: 'whose preparation failed', assertionResults: [one('never ran', 'skipped')] },
])('F1 a file $name is a failure', ({ assertionResults }) => {
  const text = report({ name: `${root}test/c.test.ts`, status: 'failed', assertionResults })
  expect(readTests(text).failed).toEqual(['test/c.test.ts (the file itself)'])
})

const fine: StepResult = { name: 'types', ok: true, seconds: 3.04, tests: undefined }
const unit = { name: 'unit', ok: true, seconds: 100, tests: { passed: 7, skipped: ['x (needs y)'], failed: [] } }

test('F1 the summary ends with the verdict when all is well', () => {
  expect(summary([fine, unit], 103)).toBe(`
steps (1 min 43 s):
  types     3.0 s  ok
  unit    100.0 s  ok      7 passed, 1 skipped, 0 failed

skipped (1); each says what it needs:
  x (needs y)

all checks passed`)
})

test.each<{ name: string; result: StepResult; line: string }>([
  { name: 'a program', result: { ...fine, ok: false }, line: '  types: the step itself, see its lines above' },
  {
    name: 'a test',
    result: { ...unit, ok: false, tests: { passed: 1, skipped: [], failed: ['t > wrong'] } },
    line: '  unit: t > wrong',
  },
  {
    name: 'a tier that broke although no test failed',
    result: { ...unit, ok: false },
    line: '  unit: the step itself, see its lines above',
  },
])('F1 the summary ends with the failure of $name', ({ result, line }) => {
  const lines = summary([result], 1).split('\n')
  expect(lines.slice(-2)).toEqual(['failed (1):', line])
})

test('F1 a skip whose title gives no reason is told apart', () => {
  const skipped = ['a (needs fish)', 'b']
  const text = summary([{ ...unit, tests: { passed: 1, skipped, failed: [] } }], 1)
  expect(text).toContain('  a (needs fish)\n  b (its title gives no reason)\n')
})
