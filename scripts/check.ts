// The checks, in order. `npm test` runs all of them; `npm run check -- unit` runs one; `npm run check -- quick` all but e2e and lab.
import { spawnSync } from 'node:child_process'
import { parseArgs } from 'node:util'

const SOURCES = 'bin schemas syntax wire system compiler config store host agent ctl daemon'.split(' ')
const FOLDERS = [...SOURCES, 'scripts', 'test', 'bench']
const vitest = (project: string) => ['vitest', 'run', '--project', project]
export const STEPS: Readonly<Record<string, readonly string[]>> = {
  biome: ['biome', 'ci', '--error-on-warnings'],
  types: ['tsc'],
  eslint: ['eslint', '--max-warnings=0', '.'],
  boundaries: ['depcruise', '--config', '.dependency-cruiser.js', ...FOLDERS],
  'dead-code': ['knip'],
  generated: ['node', 'scripts/generate.ts', '--check'],
  build: ['npm', 'run', '--silent', 'build'],
  package: ['publint', '--strict'],
  unit: vitest('unit'),
  e2e: vitest('e2e'),
  lab: vitest('lab'),
}
const QUICK = Object.keys(STEPS).filter((name) => !['build', 'package', 'e2e', 'lab'].includes(name))

/** Runs the named steps, all of them even when one fails. @returns the names of those that failed */
export function runSteps(names: readonly string[]): string[] {
  return names.filter((name) => {
    const step = STEPS[name]
    if (step === undefined) throw new Error(`no step "${name}"; there are: quick, ${Object.keys(STEPS).join(', ')}`)
    console.log(`\n== ${name}: ${step.join(' ')}`)
    const [command = '', ...args] = step
    return spawnSync(command, args, { stdio: 'inherit' }).status !== 0
  })
}

if (import.meta.main) {
  const { positionals } = parseArgs({ allowPositionals: true })
  const names =
    positionals.length === 0 ? Object.keys(STEPS) : positionals.flatMap((n) => (n === 'quick' ? QUICK : [n]))
  const failed = runSteps(names)
  console.log(failed.length === 0 ? '\nall checks passed' : `\nfailed: ${failed.join(', ')}`)
  process.exitCode = failed.length === 0 ? 0 : 1
}
