// `npm run test:long`: at full size, the tests of which `npm test` runs a sample. Writes what came of them to
// docs/test-long.md.
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { AGENTS, ESLINT } from './check.ts'
import { installPackage } from './install-package.ts'
import { runLanes, type StepResult, summary, vitest } from './steps.ts'

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

function page(results: readonly StepResult[], text: string): string {
  const isClean = git('status', '--porcelain', '--', '.', ':!docs/test-long.md') === ''
  const commit = `${git('rev-parse', '--short=12', 'HEAD')}${isClean ? '' : ' with changes'}`
  const verdict = results.every(({ ok }) => ok) ? 'passed' : 'failed'
  return `# The long tests

\`npm run test:long\` runs at full size what \`npm test\` samples: ${tiers
    .flatMap(filesOf)
    .map((file) => `\`${file}\``)
    .join(', ')}.
It writes this page.

Last run: ${new Date().toISOString().slice(0, 10)}, commit ${commit}: **${verdict}**

\`\`\`text
${text.trim()}
\`\`\`
`
}

const steps = tiers.map((tier) => ({ ...vitest(`long-${tier}`, tier, ...filesOf(tier)), env: { GATE_TEST_LONG: '1' } }))
if (asked.length === 0) installPackage('test/agents')
if (tiers.includes('e2e')) installPackage('test/clients')
const begun = performance.now()
// one after the other: each loads the machine
const results = await runLanes([asked.length > 0 ? steps : [ESLINT, ...steps, AGENTS]])
const text = summary(results, (performance.now() - begun) / 1_000)
console.log(text)
writeFileSync(PAGE, page(results, text))
process.exitCode = results.every(({ ok }) => ok) ? 0 : 1
