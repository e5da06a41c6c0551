// biome-ignore-all lint/suspicious/noTemplateCurlyInString: interpolation of Nix is what is tested
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { type Compiled, compile } from '../../compiler/compile.ts'
import { hasNix } from '../support/nix.ts'
import { directivesOf, directivesOnNixos, evaluateHosts } from '../support/nixos.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

const SIGNS = [
  '$',
  '{',
  '}',
  '"',
  "'",
  '\\',
  ';',
  '%',
  '#',
  ']',
  '[',
  '=',
  ' ',
  ',',
  '😀',
  '\u{10ffff}',
  'é',
  'a',
  '\n',
  '\0',
  '\u007f',
  '\u2028',
]
const nasty = fc.oneof(
  { weight: 4, arbitrary: fc.string({ unit: fc.constantFrom(...SIGNS.slice(0, -4)), minLength: 1, maxLength: 12 }) },
  { weight: 1, arbitrary: fc.string({ unit: fc.constantFrom(...SIGNS), minLength: 1, maxLength: 12 }) },
  fc.constantFrom(
    '${throw "no"}',
    '$${1}',
    "''${1}''",
    '\\${1}',
    '"; users.users.root.password = "x"; y = "',
    '"\n]; system.x = 1; y = [ "',
    'ExecStart=/usr/bin/gate-agent',
    '/usr/lib/systemd/systemd-socket-proxyd',
    '${gate}',
    'a\\',
  ),
)

/** A spec with the same values in every place that takes free text. */
function specOf([first, second, third]: readonly [string, string, string], name: string) {
  const image = `example.org/engine@sha256:${'0'.repeat(64)}`
  return {
    gate: { auth: { jwt: { issuer: first }, oidc: { a: { issuer: 'https://id.example.org', client_id: second } } } },
    upstreams: { one: { provider: 'openai', models: [third], api_key: { file: `/secret/${first}` } } },
    models: { alias: { category: second, targets: [{ upstream: 'one', model: first }] } },
    backends: {
      [name]: {
        engine: 'custom',
        image,
        model: 'own/model',
        args: ['--listen={socket}', first, second, third],
        environment: { A: first, B: `${second}${third}` },
        secrets: { S: { file: `/${second}` } },
        health: { command: [first, third] },
        volumes: [{ name: 'data', path: `/${third}` }],
        idle_stop: '1m',
      },
    },
  }
}

/** What stays the same when the values change: names of options, and how many items a list has. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shapeOf)
  if (typeof value !== 'object' || value === null) return typeof value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, shapeOf(inner)]))
}

const compiled = (values: readonly [string, string, string]) =>
  compile(JSON.stringify(specOf(values, 'own')), { targets: ['nix', 'quadlet', 'systemd', 'declared'] })
const fileOf = ({ files }: Compiled, path: string): string => files.find((file) => file.path === path)?.text ?? ''

describe.skipIf(!hasNix)('through nix-instantiate (Debian package nix-bin)', () => {
  const place = temporaryDirectory()
  afterAll(place.remove)

  test('every value of a spec is refused, or reads back as the quadlet target has it, and is no option', () => {
    const [plain, ...results] = [['a', 'b', 'c'] as const, ...fc.sample(fc.tuple(nasty, nasty, nasty), 400)].map(
      compiled,
    )
    const accepted = results.filter((result) => result.kind === 'compiled')
    const modules = [plain, ...accepted].map((result, i) => {
      const text = result?.kind === 'compiled' ? fileOf(result, 'nix/gate.nix') : ''
      place.write(`${i}.nix`, Buffer.from(text).toString('latin1'))
      return place.file(`${i}.nix`)
    })
    const [plainHost, ...hosts] = Object.values(
      evaluateHosts(Object.fromEntries(modules.map((file, i) => [`h${1e6 + i}`, [file]]))),
    )
    const shape = shapeOf(plainHost)
    accepted.forEach((result, i) => {
      const host = hosts[i] ?? expect.unreachable()
      const { etc } = host.environment
      const quadlet = 'users/40000/gate-own.container'
      expect(etc[`containers/systemd/${quadlet}`]?.text).toBe(fileOf(result, `quadlet/${quadlet}`))
      expect(etc['gate/declared.json']?.text).toBe(fileOf(result, 'declared/declared.json'))
      for (const unit of ['gate-daemon', 'gate-own-secrets']) {
        const expected = directivesOf(fileOf(result, `systemd/system/${unit}.service`))
        const made = host.systemd.services[unit] ?? expect.unreachable()
        expect(directivesOnNixos(made)).toEqual(expected)
      }
      expect(shapeOf(host)).toEqual(shape)
    })
    expect(accepted.length).toBeGreaterThan(100)
    expect(results.length - accepted.length).toBeGreaterThan(10)
  })
})
