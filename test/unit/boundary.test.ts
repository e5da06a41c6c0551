import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'

/** One module that breaks one rule: `from` imports `to`, a file of the project (or a package, or a module of Node). */
type Planted = { readonly rule: string; readonly from: string; readonly to: string; readonly typeOnly?: true }

const below = (folder: string) => `${folder}-imports-only-what-lies-below`
const stage = (name: string) => `stage-${name}-imports-no-other-stage`
const wrapper = (name: string) => `only-wrapper-imports-${name}`

const PLANTED: readonly Planted[] = [
  { rule: 'no-cycles', from: 'daemon/circle/a.ts', to: 'daemon/circle/b.ts' },
  { rule: 'no-unresolved', from: 'daemon/lost.ts', to: 'daemon/not-there.ts' },
  { rule: below('schemas'), from: 'schemas/a.ts', to: 'syntax/leaf.ts' },
  { rule: below('syntax'), from: 'syntax/a.ts', to: 'wire/leaf.ts' },
  { rule: below('wire'), from: 'wire/a.ts', to: 'daemon/leaf.ts' },
  { rule: below('system'), from: 'system/a.ts', to: 'host/leaf.ts' },
  { rule: below('compiler'), from: 'compiler/a.ts', to: 'daemon/leaf.ts', typeOnly: true },
  { rule: below('compiler'), from: 'compiler/b.ts', to: 'host/leaf.ts' },
  { rule: below('compiler'), from: 'compiler/c.ts', to: 'ctl/leaf.ts' },
  { rule: below('config'), from: 'config/a.ts', to: 'compiler/leaf.ts' },
  { rule: below('pki'), from: 'pki/a.ts', to: 'store/leaf.ts' },
  { rule: below('store'), from: 'store/a.ts', to: 'daemon/meter/leaf.ts' },
  { rule: below('host'), from: 'host/a.ts', to: 'daemon/leaf.ts' },
  { rule: below('agent'), from: 'agent/a.ts', to: 'host/leaf.ts' },
  { rule: below('ctl'), from: 'ctl/a.ts', to: 'daemon/leaf.ts', typeOnly: true },
  { rule: below('daemon'), from: 'daemon/gateway/a.ts', to: 'compiler/leaf.ts' },
  { rule: below('daemon'), from: 'daemon/gateway/b.ts', to: 'host/leaf.ts' },
  {
    rule: 'rooms-of-the-relay-stand-apart',
    from: 'daemon/relay/client/leaf-user.ts',
    to: 'daemon/relay/server/leaf.ts',
  },
  { rule: 'the-daemon-is-no-relay', from: 'daemon/gateway/tunnels.ts', to: 'daemon/relay/server/leaf.ts' },
  { rule: 'compiler-is-pure', from: 'compiler/files.ts', to: 'node:fs' },
  { rule: 'agent-imports-emitters-only', from: 'agent/b.ts', to: 'compiler/leaf.ts' },
  { rule: stage('auth'), from: 'daemon/auth/a.ts', to: 'daemon/route/leaf.ts', typeOnly: true },
  { rule: stage('admit'), from: 'daemon/admit/a.ts', to: 'daemon/auth/leaf.ts' },
  { rule: stage('route'), from: 'daemon/route/a.ts', to: 'daemon/upstream/leaf.ts' },
  { rule: stage('backends'), from: 'daemon/backends/a.ts', to: 'daemon/upstream/leaf.ts' },
  { rule: stage('translate'), from: 'daemon/translate/a.ts', to: 'daemon/meter/leaf.ts' },
  { rule: stage('upstream'), from: 'daemon/upstream/a.ts', to: 'daemon/translate/leaf.ts' },
  { rule: stage('meter'), from: 'daemon/meter/a.ts', to: 'daemon/route/leaf.ts' },
  { rule: 'only-gateway-joins-stages', from: 'daemon/admin/a.ts', to: 'daemon/backends/leaf.ts' },
  { rule: 'only-gateway-joins-stages', from: 'daemon/listener/a.ts', to: 'daemon/gateway/leaf.ts' },
  { rule: 'stages-do-not-import-store', from: 'daemon/meter/b.ts', to: 'store/leaf.ts' },
  { rule: 'only-main-imports-assembly', from: 'daemon/log/a.ts', to: 'daemon/assembly/leaf.ts', typeOnly: true },
  { rule: 'dialects-do-not-import-each-other', from: 'daemon/translate/one/a.ts', to: 'daemon/translate/two/leaf.ts' },
  { rule: 'translate-does-no-io', from: 'daemon/translate/b.ts', to: 'node:fs' },
  { rule: 'gatectl-starts-without-validators', from: 'ctl/b.ts', to: 'zod' },
  { rule: 'gatectl-starts-without-validators', from: 'ctl/c.ts', to: 'schemas/admin.ts' },
  { rule: 'gatectl-starts-without-validators', from: 'ctl/d.ts', to: 'schemas/spec/web.ts' },
  { rule: 'gatectl-starts-without-validators', from: 'bin/gatectl.ts', to: 'config/leaf.ts' },
  { rule: stage('check'), from: 'daemon/check/a.ts', to: 'daemon/translate/leaf.ts', typeOnly: true },
  { rule: wrapper('ajv'), from: 'daemon/translate/c.ts', to: 'ajv' },
  { rule: wrapper('undici'), from: 'daemon/gateway/c.ts', to: 'undici' },
  { rule: wrapper('better-sqlite3'), from: 'store/b.ts', to: 'better-sqlite3' },
  { rule: wrapper('smol-toml'), from: 'config/b.ts', to: 'smol-toml' },
  { rule: wrapper('prom-client'), from: 'daemon/admin/b.ts', to: 'prom-client' },
  { rule: wrapper('node-pty'), from: 'daemon/backends/b.ts', to: 'node-pty' },
  { rule: wrapper('openid-client'), from: 'daemon/auth/b.ts', to: 'openid-client' },
  { rule: wrapper('acme-client'), from: 'daemon/listener/b.ts', to: 'acme-client' },
  { rule: wrapper('peculiarx509'), from: 'host/b.ts', to: '@peculiar/x509' },
  { rule: wrapper('reflect-metadata'), from: 'host/d.ts', to: 'reflect-metadata' },
  { rule: wrapper('simplewebauthnserver'), from: 'daemon/admin/passkey.ts', to: '@simplewebauthn/server' },
  { rule: wrapper('node-forge'), from: 'host/c.ts', to: 'node-forge' },
]
const INSTALLED = [
  'undici',
  'better-sqlite3',
  'smol-toml',
  'prom-client',
  'node-pty',
  '@peculiar/x509',
  'reflect-metadata',
  'node-forge',
  '@simplewebauthn/server',
  'zod',
  'typescript',
]
/** Packages that the rules name before anything imports them; empty ones stand in. */
const NOT_YET = ['openid-client', 'acme-client']

const root = join(import.meta.dirname, '../..')
let tree = ''
let found: ReadonlySet<string> = new Set()

function lay(path: string, text: string): void {
  mkdirSync(dirname(join(tree, path)), { recursive: true })
  writeFileSync(join(tree, path), text)
}

function importOf({ from, to, typeOnly }: Planted): string {
  const path = to.endsWith('.ts') ? posix.relative(posix.dirname(from), to).replace(/^(?!\.)/, './') : to
  return typeOnly
    ? `import type { leaf } from '${path}'\nexport type Leaf = typeof leaf\n`
    : `import '${path}'\nexport const planted = 1\n`
}

/** Plants every violation in one small tree and cruises it once, under the project's own rules. */
beforeAll(() => {
  mkdirSync(join(root, '.cache'), { recursive: true })
  tree = mkdtempSync(join(root, '.cache/boundary-'))
  for (const file of ['.dependency-cruiser.js', 'tsconfig.json', 'package.json'])
    cpSync(join(root, file), join(tree, file))
  for (const name of INSTALLED) {
    mkdirSync(dirname(join(tree, 'node_modules', name)), { recursive: true })
    symlinkSync(join(root, 'node_modules', name), join(tree, 'node_modules', name))
  }
  for (const name of NOT_YET) {
    lay(`node_modules/${name}/package.json`, JSON.stringify({ name, version: '1.0.0', main: 'index.js' }))
    lay(`node_modules/${name}/index.js`, '')
  }
  for (const { to } of PLANTED) if (to.endsWith('.ts') && !to.includes('not-there')) lay(to, 'export const leaf = 1\n')
  for (const planted of PLANTED) lay(planted.from, importOf(planted))
  lay('daemon/circle/b.ts', `import './a.ts'\n`)

  const folders = [...new Set(PLANTED.map(({ from }) => from.split('/')[0] ?? ''))]
  const args = ['--config', '.dependency-cruiser.js', '--output-type', 'json', ...folders]
  const run = spawnSync(join(root, 'node_modules/.bin/depcruise'), args, { cwd: tree, encoding: 'utf8' })
  const { summary } = JSON.parse(run.stdout) as {
    summary: { totalCruised: number; violations: { from: string; rule: { name: string } }[] }
  }
  expect(summary.totalCruised).toBeGreaterThanOrEqual(PLANTED.length)
  found = new Set(summary.violations.map(({ from, rule }) => `${rule.name} ${from}`))
}, 60_000)
afterAll(() => rmSync(tree, { recursive: true, force: true }))

test.each(PLANTED)('$rule refuses that $from imports $to', ({ rule, from }) => {
  expect(found).toContain(`${rule} ${from}`)
})

test('every rule has a planted violation', async () => {
  const { default: config } = (await import(join(root, '.dependency-cruiser.js'))) as {
    default: { readonly forbidden: readonly { readonly name: string }[] }
  }
  const rules = new Set(config.forbidden.map(({ name }) => name))
  expect([...rules].sort()).toEqual([...new Set(PLANTED.map(({ rule }) => rule))].sort())
})
