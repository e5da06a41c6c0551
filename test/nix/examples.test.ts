// Every example of Nix in docs/nixos.md, evaluated with the modules.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { evaluateNix, hasNix, NIX_TESTS } from '../support/nix.ts'

const page = readFileSync(join(NIX_TESTS, '../../docs/nixos.md'), 'utf8')
const blocks = [...page.matchAll(/```nix\n([\s\S]*?)```/g)].map(([, text = '']) => text)

const hostSchema = z.object({
  failed: z.array(z.string()),
  warnings: z.array(z.string()),
  package: z.string(),
  installed: z.array(z.string()),
  ports: z.array(z.number()),
  declared: z.array(z.object({ spec: z.string(), settings: z.string() })),
  services: z.record(z.string(), z.record(z.string(), z.unknown())),
  sockets: z.record(z.string(), z.record(z.string(), z.unknown())),
})

/** A whole flake, a module, or the lines inside one. */
const isFlake = (text: string): boolean => /^ {2}outputs = /m.test(text)
function moduleOf(text: string): string {
  const body = text.startsWith('{') ? text : `{\n${text}\n}`
  return `({ gate }: { config, lib, pkgs, ... }:\n${body})`
}

function evaluate(): z.output<typeof hostSchema>[] {
  const entries = (kind: boolean, show: (text: string) => string): string =>
    blocks.flatMap((text, i) => (isFlake(text) === kind ? [`"${i}" = ${show(text)};`] : [])).join('\n')
  const arguments_ = `modules = { ${entries(false, moduleOf)} }; flakes = { ${entries(true, (text) => `(${text})`)} };`
  const value = evaluateNix(`import ${NIX_TESTS}/examples.nix { ${arguments_} }`)
  const hosts = z.record(z.string(), hostSchema).parse(value)
  return blocks.map((_, i) => hosts[i] ?? expect.unreachable(`block ${i} was not evaluated`))
}

describe.skipIf(!hasNix)('the examples of docs/nixos.md (needs nix-bin)', () => {
  const hosts = hasNix ? evaluate() : []
  const hostWith = (part: string) =>
    hosts[blocks.findIndex((text) => text.includes(part))] ?? expect.unreachable(`no example with ${part}`)

  test.each(blocks.map((text, i) => ({ first: text.split('\n')[0], i })))(
    'block $i, $first: nothing is wrong',
    ({ i }) => {
      expect(hosts[i]?.failed).toEqual([])
      expect(hosts[i]?.package).toBe('gate')
    },
  )

  test('are those of the first page about these modules, and more', () => {
    expect(blocks.length).toBeGreaterThan(12)
    for (const part of [
      'port = 8080;',
      'customDomain = "myserver";',
      'instances.default = {',
      'internal = {',
      'overlays',
    ])
      expect(blocks.some((text) => text.includes(part))).toBe(true)
  })

  test('the first flake listens where it says', () => {
    const host = hostWith('port = 8080;')
    expect(host.sockets['gate-daemon']).toMatchObject({ ListenStream: '127.0.0.1:8080' })
    expect(host.declared[0]?.spec).toContain('"upstreams":{"openai":{')
  })

  test('secrets are handed over by systemd', () => {
    const credential = { LoadCredential: ['upstreams.openai.api_key:/run/secrets/openai'] }
    expect(hostWith('config.sops').services['gate-daemon']).toMatchObject(credential)
    expect(JSON.stringify(hostWith('config.age').services['gate-daemon'])).toContain('/run/agenix/openai')
  })

  test('the overlay puts the package into pkgs under both names', () => {
    expect(hostWith('gate.overlays.default').installed.filter((name) => name.startsWith('gate-'))).toHaveLength(2)
  })

  test('relays are units of their own', () => {
    expect(Object.keys(hostWith('bindAddress = "10.0.0.1"').services)).toEqual(
      expect.arrayContaining(['gate-relay@public', 'gate-relay@internal']),
    )
    expect(hostWith('domainSuffix').services['gate-relay@default']).toMatchObject({
      EnvironmentFile: '/run/secrets/gate-relay',
    })
  })
})
