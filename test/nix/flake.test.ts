import { spawnSync } from 'node:child_process'
import { cpSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { afterAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { evaluateNix, hasNix, NIX_TESTS, parseNix } from '../support/nix.ts'
import { hasProgram } from '../support/programs.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

const ROOT = join(NIX_TESTS, '../..')
const SYSTEMS = ['aarch64-linux', 'x86_64-linux']
/** Where the stand-in for nixpkgs says that the package is. */
const G = '/nix/store/gate'

const texts = z.record(z.string(), z.string())
const perSystem = <T extends z.ZodType>(value: T) => z.record(z.string(), z.record(z.string(), value))
const host = z.object({
  failed: z.array(z.string()),
  warnings: z.array(z.string()),
  units: z.array(z.string()),
  next: z.record(z.string(), z.object({ failed: z.array(z.string()) })),
})
const machines = z.record(z.string(), z.object({ testScript: z.string(), nodes: z.record(z.string(), host) }))
const outputsSchema = z.object({
  inputs: z.array(z.string()),
  outputs: z.array(z.string()),
  modules: texts,
  overlays: z.array(z.string()),
  overlaid: perSystem(z.string()),
  packages: perSystem(z.string()),
  apps: perSystem(z.object({ type: z.literal('app'), program: z.string() })),
  devShells: perSystem(z.array(z.string())),
  formatter: texts,
  package: z.object({
    pname: z.string(),
    version: z.string(),
    meta: z.object({ mainProgram: z.string(), platforms: z.array(z.string()), description: z.string() }),
    src: z.string(),
    installPhase: z.string(),
    lock: z.record(z.string(), z.object({ version: z.string(), integrity: z.string().optional() })),
    archives: z.record(z.string(), z.object({ name: z.string(), script: z.string(), hash: z.string() })),
  }),
  tests: machines,
  checks: perSystem(z.string()),
  configurations: z.record(z.string(), host),
  buildable: texts,
  testConfig: host,
})
const packageSchema = z.object({
  name: z.string(),
  version: z.string(),
  description: z.string(),
  bin: texts,
  dependencies: texts,
})

const nixFiles = (folder: string): string[] =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.nix'))
    .map((name) => join(ROOT, folder, name))

describe.skipIf(!hasNix)('flake.nix with a stand-in for nixpkgs (needs nix-bin)', () => {
  const manifest = packageSchema.parse(JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')))
  const flake = hasNix
    ? outputsSchema.parse(evaluateNix(`import ${NIX_TESTS}/flake-outputs.nix`))
    : (undefined as never)

  test('every file of Nix parses', () =>
    parseNix([join(ROOT, 'flake.nix'), ...nixFiles('nix'), ...nixFiles('test/nix')]))

  test('takes nixpkgs and nothing else, and offers what it should', () => {
    expect(flake.inputs).toEqual(['nixpkgs'])
    expect(flake.outputs).toEqual([
      'apps',
      'checks',
      'devShells',
      'formatter',
      'nixosConfigurations',
      'nixosModules',
      'overlays',
      'packages',
    ])
    expect(Object.keys(flake.modules)).toEqual(['default', 'gate-daemon', 'gate-relay'])
    expect(flake.overlays).toEqual(['default'])
    for (const output of [flake.packages, flake.apps, flake.devShells, flake.formatter])
      expect(Object.keys(output)).toEqual(SYSTEMS)
    for (const system of SYSTEMS) {
      expect(Object.keys(flake.packages[system] ?? {})).toEqual(['default', 'gate'])
      expect(flake.overlaid[system]).toEqual({ gate: G, 'gate-daemon': G, 'gate-relay': G })
      expect(flake.devShells[system]?.['default']).toContain('nodejs-24.14.0')
      expect(flake.formatter[system]).toContain('nixfmt')
    }
  })

  // purely: the flake may read nothing outside of itself
  test('nix itself shows the flake', { timeout: 60_000 }, () => {
    const place = temporaryDirectory()
    try {
      const copy = (folder: string, paths: readonly string[]): string => {
        for (const path of paths) cpSync(join(ROOT, path), join(place.path, folder, path), { recursive: true })
        return `path:${place.file(folder)}`
      }
      const tracked = ['flake.nix', 'nix', 'package.json', 'package-lock.json', 'LICENSE', 'test/support/golden.ts']
      const sources = [
        'bin',
        'compiler',
        'daemon',
        'docs',
        'schemas',
        'scripts',
        'tsconfig.build.json',
        'tsconfig.json',
      ]
      const gate = copy('gate', [...tracked, ...sources])
      const nixpkgs = copy('nixpkgs', ['test/nix'])
      place.write('nixpkgs/flake.nix', '{ outputs = { self }: import ./test/nix/stub-nixpkgs.nix; }')
      const features = ['--extra-experimental-features', 'nix-command flakes', '--store', place.file('store')]
      const { status, stdout, stderr } = spawnSync(
        'nix',
        [...features, 'flake', 'show', gate, '--override-input', 'nixpkgs', nixpkgs, '--no-write-lock-file'],
        { encoding: 'utf8', env: { ...process.env, HOME: place.path } },
      )
      expect(status === 0 ? '' : stderr).toBe('')
      for (const line of [
        "rootless-backend: derivation 'vm-test-run-gate-rootless-backend'",
        "default: package 'gate-0.1.0'",
        'test-vm: NixOS configuration',
        'gate-relay: NixOS module',
        'default: Nixpkgs overlay',
        "default: development environment 'nix-shell'",
        'gatectl: app',
      ])
        expect(stripVTControlCharacters(stdout)).toContain(line)
    } finally {
      place.remove()
    }
  })

  test('an app for each command that people start', () => {
    for (const system of SYSTEMS) {
      const programs = Object.entries(flake.apps[system] ?? {}).map(([name, { program }]) => [name, program])
      expect(Object.fromEntries(programs)).toEqual({
        default: `${G}/bin/gate-daemon`,
        'gate-daemon': `${G}/bin/gate-daemon`,
        gatectl: `${G}/bin/gatectl`,
      })
    }
    expect(Object.keys(manifest.bin)).toContain(flake.package.meta.mainProgram)
  })

  test('the package is what package.json says, with every command and every runtime dependency', () => {
    const { pname, version, meta, installPhase, lock, archives } = flake.package
    expect({ name: pname, version, description: meta.description }).toEqual({
      name: manifest.name,
      version: manifest.version,
      description: manifest.description,
    })
    expect(meta.platforms.toSorted()).toEqual(SYSTEMS)
    for (const [command, program] of Object.entries(manifest.bin))
      expect(installPhase).toContain(
        `makeWrapper $out/lib/gate/node $out/bin/${command} --add-flags $out/lib/gate/${program}\n`,
      )
    for (const [name, wanted] of Object.entries(manifest.dependencies)) {
      expect(lock[`node_modules/${name}`]?.version).toBe(wanted)
      expect(installPhase).toContain(`'node_modules/${name}'`)
    }
    // the pinned Node of development is none of the package's
    expect(Object.keys(lock)).toContain('node_modules/typescript')
    expect(Object.keys(lock)).not.toContain('node_modules/node')
    expect(installPhase).not.toContain("'node_modules/typescript'")
    const scoped = lock['node_modules/@opentelemetry/api'] ?? expect.unreachable()
    expect(archives['node_modules/@opentelemetry/api']).toEqual({
      name: `api-${scoped.version}.tgz`,
      script: expect.stringContaining(`npm pack --ignore-scripts '@opentelemetry/api@${scoped.version}'\n`),
      hash: scoped.integrity,
    })
  })

  test('the machines are checks', () => {
    expect(Object.keys(flake.tests)).toEqual([
      'first-request',
      'rollback',
      'rootless-backend',
      'runtime-edit',
      'two-relays',
      'upgrade',
    ])
  })

  test('the machines evaluate with the modules, and nothing is wrong with them', () => {
    for (const { nodes } of Object.values(flake.tests))
      for (const { failed, next } of Object.values(nodes)) {
        expect(failed).toEqual([])
        for (const specialisation of Object.values(next)) expect(specialisation.failed).toEqual([])
      }
    expect(flake.tests['first-request']?.nodes['machine']?.units).toContain('gate-daemon.socket')
    expect(flake.tests['two-relays']?.nodes['machine']?.units).toEqual(
      expect.arrayContaining(['gate-relay@public.service', 'gate-relay@internal.service']),
    )
    expect(Object.keys(flake.tests['upgrade']?.nodes['machine']?.next ?? {})).toEqual(['next'])
  })

  test('the checks are the machines, the package and configurations that only evaluate', () => {
    for (const system of SYSTEMS)
      expect(Object.keys(flake.checks[system] ?? {})).toEqual(
        [...Object.keys(flake.tests), 'package', 'test-config', 'test-vm'].sort(),
      )
  })

  test('the machine and the configuration for trying it out are hosts with a gateway', () => {
    expect(Object.keys(flake.configurations)).toEqual(['test-vm'])
    expect(flake.buildable).toEqual({ 'test-vm': '/nix/store/vm' })
    for (const { failed, units } of [flake.testConfig, ...Object.values(flake.configurations)]) {
      expect(failed).toEqual([])
      expect(units.toSorted()).toEqual([
        'gate-address.service',
        'gate-daemon-admin.socket',
        'gate-daemon.service',
        'gate-daemon.socket',
        'gate-egress.service',
      ])
    }
  })

  const place = temporaryDirectory()
  afterAll(place.remove)

  test.skipIf(!hasProgram('python3'))('their scripts, and what they run, are Python (needs python3)', () => {
    const scripts = Object.entries(flake.tests)
    const files = scripts.map(([name, { testScript }]) => {
      place.write(`${name}.py`, testScript)
      return place.file(`${name}.py`)
    })
    const run = spawnSync('python3', ['-m', 'py_compile', ...files, join(ROOT, 'nix/tests/engine.py')], {
      encoding: 'utf8',
      env: { ...process.env, PYTHONPYCACHEPREFIX: place.path },
    })
    expect(run.stderr).toBe('')
    expect(run.status).toBe(0)
  })
})
