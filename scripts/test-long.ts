// `npm run test:long`: at full size, the tests of which `npm test` runs a sample. Writes what came of them to
// docs/test-long.md, tier by tier.
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { AGENTS, ESLINT } from './check.ts'
import { installAgents } from './install-agents.ts'
import { installDebianPackages } from './install-debian-packages.ts'
import { installPackage } from './install-package.ts'
import { runLanes, type Step, type StepResult, summary, vitest } from './steps.ts'

const root = join(import.meta.dirname, '..')
const PAGE = join(root, 'docs/test-long.md')
const git = (...args: string[]) => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim()

const TIERS = { unit: ['unit', 'nix'], e2e: ['e2e'], lab: ['lab'] }
type Tier = keyof typeof TIERS
const isTier = (name: string): name is Tier => name in TIERS
const asked = process.argv.slice(2).filter(isTier)
const tiers = asked.length > 0 ? asked : Object.keys(TIERS).filter(isTier)

/** Files of a tier that say how much they try. */
const filesOf = (tier: Tier): string[] =>
  git('ls-files', ...TIERS[tier].map((folder) => `test/${folder}/*.test.ts`))
    .split('\n')
    .filter((file) => readFileSync(join(root, file), 'utf8').match(/support\/effort\.ts|onlyLong: true/) !== null)

type Row = { readonly name: string; readonly line: string }

/** What came of a tier, for as long as it is not run again. */
function rowOf({ name, ok, seconds, tests }: StepResult): Row {
  const isClean = git('status', '--porcelain', '--', '.', ':!docs/test-long.md') === ''
  const commit = `${git('rev-parse', '--short=12', 'HEAD')}${isClean ? '' : ' with changes'}`
  const counts = tests && `${tests.passed} passed, ${tests.skipped.length} skipped, ${tests.failed.length} failed`
  const cells = [name, new Date().toISOString().slice(0, 10), commit, `${Math.round(seconds)} s`, counts ?? '']
  return { name, line: `| ${[...cells, ok ? '**passed**' : '**failed**'].join(' | ')} |` }
}

function page(rows: readonly Row[]): string {
  const files = Object.keys(TIERS).filter(isTier).flatMap(filesOf)
  return `# The long tests

\`npm run test:long\` runs at full size what \`npm test\` samples: ${files.map((file) => `\`${file}\``).join(', ')};
and the coding agents. \`npm run test:long -- e2e\` runs one tier. It writes this page: the last run of each.

| tier | date | commit | time | tests | result |
| --- | --- | --- | --- | --- | --- |
${rows.map(({ line }) => line).join('\n')}
`
}

/** The rows that the page has. */
const written = (): Row[] =>
  readFileSync(PAGE, 'utf8')
    .split('\n')
    .flatMap((line) => {
      const name = /^\| ((?:long-)?\w+) \| \d/.exec(line)?.[1]
      return name === undefined ? [] : [{ name, line }]
    })

const stepOf = (tier: Tier): Step => ({
  ...vitest(`long-${tier}`, tier, ...filesOf(tier)),
  env: { GATE_TEST_LONG: '1' },
})
const steps = tiers.map(stepOf)
if (tiers.includes('e2e')) {
  installPackage('test/clients')
  installDebianPackages('chromium') // 300 MB
}
if (asked.length === 0) installAgents()
const begun = performance.now()
// one after the other: each loads the machine
const results = await runLanes([asked.length > 0 ? steps : [ESLINT, ...steps, AGENTS]])
console.log(summary(results, (performance.now() - begun) / 1_000))
const fresh = results.map(rowOf)
const kept = asked.length > 0 ? written().filter(({ name }) => !fresh.some((row) => row.name === name)) : []
writeFileSync(PAGE, page([...kept, ...fresh]))
process.exitCode = results.every(({ ok }) => ok) ? 0 : 1
