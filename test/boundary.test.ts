import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'

const root = join(import.meta.dirname, '..')
let tree = ''

/** Runs dependency-cruiser over a small tree of planted files under the project's own rules. */
function cruise(files: Readonly<Record<string, string>>) {
  rmSync(join(tree, 'daemon'), { recursive: true, force: true })
  rmSync(join(tree, 'schemas'), { recursive: true, force: true })
  rmSync(join(tree, 'compiler'), { recursive: true, force: true })
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(tree, path)), { recursive: true })
    writeFileSync(join(tree, path), text)
  }
  const folders = [...new Set(Object.keys(files).map((path) => path.split('/')[0] ?? ''))]
  const args = ['--config', '.dependency-cruiser.js', '--output-type', 'json', ...folders]
  const run = spawnSync(join(root, 'node_modules/.bin/depcruise'), args, { cwd: tree, encoding: 'utf8' })
  const { summary } = JSON.parse(run.stdout) as {
    summary: { totalCruised: number; violations: { rule: { name: string } }[] }
  }
  return { modules: summary.totalCruised, rules: [...new Set(summary.violations.map((v) => v.rule.name))].sort() }
}

beforeAll(() => {
  mkdirSync(join(root, '.cache'), { recursive: true })
  tree = mkdtempSync(join(root, '.cache/boundary-'))
  for (const file of ['.dependency-cruiser.js', 'tsconfig.json', 'package.json'])
    cpSync(join(root, file), join(tree, file))
  symlinkSync(join(root, 'node_modules'), join(tree, 'node_modules'))
})
afterAll(() => rmSync(tree, { recursive: true, force: true }))

const leaf = 'export const leaf = 1\n'
const imports = (path: string) => `import '${path}'\n`
const importsType = (path: string) => `import type { leaf } from '${path}'\nexport type Leaf = typeof leaf\n`

test.each([
  { rule: 'no-cycles', files: { 'daemon/a.ts': imports('./b.ts'), 'daemon/b.ts': imports('./a.ts') } },
  { rule: 'schemas-import-nothing-of-ours', files: { 'schemas/a.ts': imports('../daemon/b.ts'), 'daemon/b.ts': leaf } },
  {
    rule: 'compiler-never-imports-daemon',
    files: { 'compiler/a.ts': importsType('../daemon/b.ts'), 'daemon/b.ts': leaf },
  },
  {
    rule: 'only-ctl-and-agent-import-compiler',
    files: { 'daemon/gateway.ts': imports('../compiler/b.ts'), 'compiler/b.ts': leaf },
  },
  {
    rule: 'stage-auth-imports-no-other-stage',
    files: { 'daemon/auth/a.ts': importsType('../route/b.ts'), 'daemon/route/b.ts': leaf },
  },
  {
    rule: 'stages-do-not-import-store',
    files: { 'daemon/meter/a.ts': imports('../store/b.ts'), 'daemon/store/b.ts': leaf },
  },
  { rule: 'only-wrapper-imports-undici', files: { 'daemon/a.ts': imports('undici') } },
  { rule: 'only-wrapper-imports-better-sqlite3', files: { 'daemon/store/a.ts': imports('better-sqlite3') } },
  { rule: 'only-wrapper-imports-smol-toml', files: { 'daemon/ctl/a.ts': imports('smol-toml') } },
  { rule: 'only-wrapper-imports-node-pty', files: { 'daemon/backends/a.ts': imports('node-pty') } },
  { rule: 'gatectl-starts-without-validators', files: { 'daemon/ctl/a.ts': imports('zod') } },
  {
    rule: 'gatectl-starts-without-validators',
    files: { 'daemon/ctl/a.ts': imports('../../schemas/admin.ts'), 'schemas/admin.ts': leaf },
  },
  {
    rule: 'gatectl-starts-without-validators',
    files: { 'daemon/ctl/a.ts': imports('../../schemas/spec-web.ts'), 'schemas/spec-web.ts': leaf },
  },
  { rule: 'translate-does-no-io', files: { 'daemon/translate/a.ts': imports('node:fs') } },
])('refuses a planted violation of $rule', ({ rule, files }) => {
  expect(cruise(files as Record<string, string>).rules).toContain(rule)
})

test('sees the modules of this project and finds no violation', () => {
  const args = ['--config', '.dependency-cruiser.js', '--output-type', 'json', 'bin', 'schemas', 'compiler', 'daemon']
  const run = spawnSync(join(root, 'node_modules/.bin/depcruise'), args, {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  })
  const { summary } = JSON.parse(run.stdout) as { summary: { totalCruised: number; violations: unknown[] } }
  expect(summary.violations).toEqual([])
  expect(summary.totalCruised).toBeGreaterThan(3)
})
