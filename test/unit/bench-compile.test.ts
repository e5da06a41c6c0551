import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { compileText } from '../../bench/compile.ts'
import { specText } from '../../bench/compile-run.ts'
import { compile } from '../../compiler/compile.ts'

test('a measured run says what it took', () => {
  const script = join(import.meta.dirname, '../../bench/compile-run.ts')
  const run = spawnSync(process.execPath, [script, 'quadlet', '20'], { encoding: 'utf8' })
  expect(run).toMatchObject({ status: 0 })
  const result = JSON.parse(run.stdout)
  for (const figure of ['wallMs', 'cpuMs', 'maxRssBytes']) expect(result[figure]).toBeGreaterThan(0)
})

test('the spec of the bench has as many containers as backends, and nothing to warn about', () => {
  const result = compile(specText(20), { targets: ['quadlet'] })
  expect(result.diagnostics).toEqual([])
  expect(result.kind === 'compiled' && result.deployment.containers.length).toBe(20)
})

test('the report compares growth by the CPU time of the first row', () => {
  const row = (backends: number, cpuMs: number) => ({ what: 'x', backends, cpuMs, wallMs: 1, maxRssBytes: 2 ** 20 })
  const report = { date: 'now', node: 'v24', runs: 1, loadAverage: 0, rows: [row(1_000, 100), row(10_000, 950)] }
  expect(compileText(report)).toContain('ten times the backends cost 9.5 times the CPU time')
})
