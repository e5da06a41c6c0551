// C2: what `gatectl check` says without --target.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { gatectl } from '../../support/gatectl.ts'
import { GOLDEN, goldenNames, goldenPodman } from '../../support/golden.ts'

type Answer = { readonly valid: boolean; readonly targets: readonly string[]; readonly diagnostics: { code: string }[] }

async function check(args: readonly string[], stdin = ''): Promise<Answer> {
  return JSON.parse((await gatectl(['check', ...args, '--json'], { stdin })).stdout)
}

/** `nix` is for NixOS alone. */
const BAD = goldenNames().filter((name) => name.startsWith('bad-') && name !== 'bad-nix-store')

test.each(BAD)('C2 %s: everything that the golden is bad for is said', async (name) => {
  const folder = join(GOLDEN, name)
  const spec = ['spec.toml', 'spec.json'].map((file) => join(folder, file)).find(existsSync) ?? ''
  const { major, minor } = goldenPodman(name)
  const lock = existsSync(join(folder, 'lock.json')) ? ['--lock', join(folder, 'lock.json')] : []
  const expected = readFileSync(join(folder, 'expected/diagnostics.txt'), 'utf8')
  const codes = [...expected.matchAll(/^\S+: (error|warning) ([A-Z_]+):/gm)].map(([, severity, code]) => ({
    severity,
    code,
  }))
  expect(codes.length).toBeGreaterThan(0)
  const { valid, diagnostics } = await check([spec, '--podman', `${major}.${minor}`, ...lock])
  expect(diagnostics).toEqual(expect.arrayContaining(codes.map((code) => expect.objectContaining(code))))
  expect(valid).toBe(!codes.some(({ severity }) => severity === 'error'))
})

const UPSTREAM = '[upstreams.a]\nprovider = "openai"\napi_key = { credential = "k" }\n'

test.each([
  ['internal_ca without a name', '[gate.tls]\ninternal_ca = true\n', 'MISSING_KEY'],
  ['a sandbox', '[sandbox]\nenable = true\n', 'NOT_YET'],
  ['a relay without an address', '[relay]\nenable = true\n', 'MISSING_KEY'],
  ['a key in the environment', UPSTREAM.replace('credential', 'env'), 'UNREACHABLE_SECRET'],
  ['sign-in by OIDC without a provider', '[gate.auth]\nmode = "oidc"\n', 'MISSING_PROVIDER'],
])('C2 %s is not "no problems"', async (_, spec, code) => {
  const { diagnostics } = await check(['-'], spec)
  expect(diagnostics.map((diagnostic) => diagnostic.code)).toContain(code)
})

test.each([
  ['{ file = "key.txt" }', 'write an absolute path'],
  ['{ env = "a b" }', 'write the name of a variable'],
  ['{ credential = "a/b" }', 'write letters, digits'],
])('a secret that is referred to wrongly says what to write: %s', async (secret, hint) => {
  const { diagnostics } = await check(['-'], `[upstreams.a]\nprovider = "openai"\napi_key = ${secret}\n`)
  expect(diagnostics).toMatchObject([{ code: 'INVALID_VALUE', hint: expect.stringContaining(hint) }])
})

test('C2 the answer names what was checked', async () => {
  const plain = await gatectl(['check', '-'])
  expect(plain.stdout).toMatch(
    /^checked for what gatectl apply makes: .*quadlet, systemd.*\nstandard input: no problems\n$/,
  )
  expect((await gatectl(['check', '-', '--target', 'compose'])).stdout).toMatch(/^checked for compose\n/m)
  expect((await check(['-', '--target', 'fly,render'])).targets).toEqual(['fly', 'render'])
})

test('C7 check takes the spec of the host when none is named', async () => {
  const run = await gatectl(['check'])
  if (existsSync('/etc/gate/gate.toml')) expect(run.stdout).toContain('/etc/gate/gate.toml: ')
  else
    expect(run.stderr).toBe('gatectl: /etc/gate/gate.toml: not there\n  write one: gatectl init /etc/gate/gate.toml\n')
})
