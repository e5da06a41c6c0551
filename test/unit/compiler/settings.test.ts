// What lies over the spec: CompileOptions.settings.
import { expect, test } from 'vitest'
import { compile } from '../../../compiler/compile.ts'
import { parseJson } from '../../../config/files.ts'
import type { Target } from '../../../schemas/words/targets.ts'
import { isTree, merge, type Tree } from '../../../syntax/tree.ts'
import { goldenNames, goldenResult } from '../../support/golden.ts'

const SETTINGS = {
  server: { max_concurrent: 7, allow_from: ['192.0.2.0/24'] },
  log: { level: 'debug', format: 'json' },
  upstreams: { extra: { provider: 'custom', base_url: 'http://192.0.2.1/v1', enabled: false } },
  models: { chat: { strategy: 'weighted', targets: [{ upstream: 'extra', model: 'm', weight: 2 }] } },
}

function filesOf(targets: readonly Target[], settings: Tree, text = ''): Record<string, string> {
  const result = compile(text, { targets, settings })
  if (result.kind === 'refused') return expect.unreachable(JSON.stringify(result.diagnostics))
  return Object.fromEntries(result.files.map((made) => [made.path, made.text]))
}

const treeOf = (text = ''): Tree => {
  const value = parseJson(text)
  return isTree(value) ? value : expect.unreachable(text)
}

test('the declared layer of any spec is merged with them, and else only what the daemon may reach changes', () => {
  let compared = 0
  for (const name of goldenNames()) {
    const { result } = goldenResult(name, { targets: ['declared', 'systemd'] })
    const { result: laid } = goldenResult(name, { targets: ['declared', 'systemd'], settings: SETTINGS })
    expect(laid.kind, name).toBe(result.kind)
    if (result.kind === 'refused' || laid.kind === 'refused') continue
    for (const [i, { path, text }] of result.files.entries()) {
      const after = laid.files[i]
      expect(after?.path).toBe(path)
      expect(after?.origins).toHaveLength(after?.text.trimEnd().split('\n').length ?? 0)
      if (path === 'declared/declared.json') expect(treeOf(after?.text)).toEqual(merge([SETTINGS, treeOf(text)]))
      else if (!path.endsWith('50-reach.conf')) expect(after?.text, `${name} ${path}`).toBe(text)
      compared++
    }
  }
  expect(compared).toBeGreaterThan(100)
})

test.each([
  ['declared', 'declared/declared.json'],
  ['compose', 'compose/declared.json'],
  ['fly', 'fly/declared.json'],
  ['launchd', 'launchd/declared.json'],
] as const)('the target %s has them in %s', (target, path) => {
  const { [path]: text } = filesOf([target], SETTINGS)
  expect(treeOf(text)).toMatchObject(SETTINGS)
})

test('the target render has them in variables, and nix says that it has them nowhere', () => {
  expect(filesOf(['render'], { log: { level: 'debug' } })['render/render.yaml']).toMatch(
    /"GATE_LOG__LEVEL"\n +value: "debug"\n/,
  )
  const { diagnostics } = compile('', { targets: ['nix'], settings: SETTINGS })
  expect(diagnostics).toContainEqual(
    expect.objectContaining({ code: 'NOT_EXPRESSED', message: expect.stringContaining('without the settings') }),
  )
})

test('a name such as __proto__ is a name', () => {
  const settings = treeOf('{ "upstreams": { "__proto__": { "provider": "echo" } } }')
  const { 'declared/declared.json': text } = filesOf(['declared'], settings)
  expect(text).toContain('"__proto__": {')
  expect({}).not.toHaveProperty('provider')
})

test.each([
  { key: 'host', said: '192.0.2.9', has: '"127.0.0.1"' },
  { key: 'port', said: 3999, has: '3000' },
  { key: 'p2p_port', said: 3999, has: '41147' },
])('server.$key cannot be moved away from the sockets of the spec', ({ key, said, has }) => {
  const result = compile('', { targets: ['declared'], settings: { server: { [key]: said } } })
  expect(result).toMatchObject({
    kind: 'refused',
    diagnostics: [
      {
        code: 'CONTRADICTING_SETTING',
        path: `gate.server.${key}`,
        message: `the settings say server.${key} = ${JSON.stringify(said)}, but everything else is made for ${has}`,
        hint: `write it in the spec: gate.server.${key}`,
      },
    ],
  })
})

test('what the spec says may be said again', () => {
  const spec = '[gate.server]\nhost = "[::1]"\nport = 3999\n'
  const settings = { server: { host: '[::1]', port: 3999, p2p_port: 41_147 } }
  expect(treeOf(filesOf(['declared'], settings, spec)['declared/declared.json'])).toMatchObject(settings)
})
