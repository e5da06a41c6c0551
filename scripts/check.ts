// The checks. `npm test` runs all of them but eslint; `npm run check -- unit` runs one; `npm run check -- quick` all but
// build, package, e2e, lab and agents.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { runLanes, type Step, summary, vitest } from './steps.ts'

const SOURCES = 'bin schemas syntax wire system compiler config pki store host agent ctl daemon'.split(' ')
const FOLDERS = [...SOURCES, 'scripts', 'test', 'bench']

/** Builds the types of the whole program once more, which takes minutes on a slow machine: `npm run test:long` has it. */
export const ESLINT: Step = { name: 'eslint', command: ['eslint', '--max-warnings=0', '.'] }

/** Coding agents do a task through Gate. They are installed where CI is set, and by `npm run test:agents`. */
export const AGENTS: Step = vitest('agents', 'agents')
const hasAgents = () => existsSync(join(import.meta.dirname, '../test/agents/node_modules'))

/** Side by side: the lab and the end-to-end tests wait more than they work, and leave each other's ports and namespaces alone. */
const LANES: readonly (readonly Step[])[] = [
  [
    { name: 'biome', command: ['biome', 'ci', '--error-on-warnings'] },
    { name: 'types', command: ['tsc'] },
    ESLINT,
    { name: 'boundaries', command: ['depcruise', '--config', '.dependency-cruiser.js', ...FOLDERS] },
    { name: 'dead-code', command: ['knip'] },
    { name: 'generated', command: ['node', 'scripts/generate.ts', '--check'] },
    { name: 'build', command: ['npm', 'run', '--silent', 'build'] },
    { name: 'package', command: ['publint', '--strict'] },
    vitest('unit', 'unit'),
    AGENTS,
  ],
  [vitest('e2e', 'e2e')],
  [vitest('lab', 'lab')],
]
const NAMES = LANES.flat().map(({ name }) => name)
const SLOW = ['build', 'package', 'e2e', 'lab', AGENTS.name]

/** What `npm test` runs. */
const usual = () => NAMES.filter((name) => name !== ESLINT.name && (name !== AGENTS.name || hasAgents()))

/**
 * Runs the named steps, prints what came of them, and leaves an exit code. @throws Error for a name that is not a step
 */
export async function check(names: readonly string[] = usual()): Promise<void> {
  const wanted = names.flatMap((name) => (name === 'quick' ? NAMES.filter((step) => !SLOW.includes(step)) : [name]))
  const unknown = wanted.find((name) => !NAMES.includes(name))
  if (unknown !== undefined) throw new Error(`unknown step "${unknown}"; there are: quick, ${NAMES.join(', ')}`)
  const begun = performance.now()
  const lanes = LANES.map((steps) => steps.filter(({ name }) => wanted.includes(name)))
  const results = await runLanes(lanes)
  console.log(summary(results, (performance.now() - begun) / 1_000))
  process.exitCode = results.every(({ ok }) => ok) ? 0 : 1
}

if (import.meta.main) {
  const { positionals } = parseArgs({ allowPositionals: true })
  await check(positionals.length === 0 ? usual() : positionals)
}
