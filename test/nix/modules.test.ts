import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { compile } from '../../compiler/compile.ts'
import { hasNix, NIX_TESTS } from '../support/nix.ts'
import {
  directivesOf,
  directivesOnNixos,
  evaluateSamples,
  MODULES,
  type NixosHost,
  unitText,
} from '../support/nixos.ts'
import { hasProgram, tryRun } from '../support/programs.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { WRONG } from './wrong-samples.ts'

const SAMPLES = join(NIX_TESTS, 'samples')
const names = readdirSync(SAMPLES).map((file) => file.replace('.nix', ''))
/** Relays of a sample as a spec says them. */
const RELAYS: Readonly<Record<string, string>> = {
  'seed-relay': `[relays.default]\ndomain_suffix = "gate.hellas.ai"\ndns = { provider = "cloudflare" }`,
  'seed-relays': `[relays.public]\n[relays.internal]\nhttps_port = 8443\np2p_port = 31146\nbind_address = "10.0.0.1"`,
  'relay-settings': `[relays.edge]
metrics_port = 9090
allow_from = ["192.0.2.0/24"]
log_level = "debug"
domain_suffix = "gate.example.org"
dns = { provider = "cloudflare", zone_id = "0123456789abcdef", api_token = { file = "/run/secrets/cloudflare" } }
[relays.lan]
https_port = 8443
p2p_port = 31146
metrics_port = 9091
allow_from = ["192.0.2.0/24"]
dns = { provider = "cloudflare", enabled = false }`,
}

const TWO_BACKENDS = ['one', 'two']
  .map(
    (name, i) =>
      `backends.${name} = { engine = "custom"; image = "example.org/engine@sha256:${'0'.repeat(64)}"; uid = ${40_000 + i}; };`,
  )
  .join(' ')
/** A host before a switch, and what may be changed by it. */
const SWITCHES = {
  nothing: '',
  port: 'port = 3001;',
  log: 'log.level = "debug";',
  memory: 'backends.one.memory = "8GiB";',
}

describe.skipIf(!hasNix)('the NixOS modules (needs nix-bin)', () => {
  const { hosts, wrong } = hasNix
    ? evaluateSamples(
        Object.fromEntries([
          ...names.map((name) => [name, [MODULES, join(SAMPLES, `${name}.nix`)]]),
          ...Object.entries(SWITCHES).map(([name, options]) => [
            `switch: ${name}`,
            [MODULES, `{ services.gate-daemon = { enable = true; ${TWO_BACKENDS} ${options} }; }`],
          ]),
        ]),
        Object.fromEntries(WRONG.map(({ name, module }) => [name, [MODULES, `(${module})`]])),
      )
    : { hosts: {}, wrong: {} }
  const hostOf = (name: string): NixosHost => hosts[name] ?? expect.unreachable(`${name} was not evaluated`)
  const unitsOf = (name: string) => {
    const { services, sockets } = hostOf(name).systemd
    const all = { service: services, socket: sockets }
    return Object.entries(all).flatMap(([kind, units]) =>
      Object.entries(units)
        // what the module adds to units of others is seen in host.json
        .filter(([unit]) => /^gate-/.test(unit) && !/-(?:secrets|dns|directory|egress|ca|ca-renew)$/.test(unit))
        .map(([unit, options]) => ({ file: `${unit}.${kind}`, unit: options })),
    )
  }

  test('there are samples of everything', () => expect(names.length).toBeGreaterThanOrEqual(15))

  test.each(names)('%s: nothing is wrong; its units and all else are as expected', async (name) => {
    const { failed, builds, systemd, environment, ...host } = hostOf(name)
    expect(failed).toEqual([])
    const places = new Map(builds.map(({ path }) => [path, `/nix/store/${path.slice(path.indexOf('-') + 1)}`]))
    const text = JSON.stringify(
      { etc: environment.etc, tmpfiles: systemd.tmpfiles.rules, user: systemd.user, ...host },
      null,
      2,
    )
    const readable = [...places].reduce((whole, [path, place]) => whole.replaceAll(path, place), text)
    const expected = join(NIX_TESTS, 'expected', name)
    await expect(`${readable}\n`).toMatchFileSnapshot(join(expected, 'host.json'))
    for (const { file, unit } of unitsOf(name)) await expect(unitText(unit)).toMatchFileSnapshot(join(expected, file))
  })

  const compiled = names.flatMap((name) =>
    hasNix ? hostOf(name).builds.map(({ path, environment }) => ({ name, path, ...environment })) : [],
  )

  test.each(compiled.filter(({ name }) => name !== 'overridden'))(
    '$name: units of the gateway are those of the target systemd, but for store paths ($path)',
    ({ name, spec, lock }) => {
      const result = compile(spec, { targets: ['systemd'], lock, systemd: 257 })
      if (result.kind === 'refused') return expect.unreachable(JSON.stringify(result.diagnostics))
      const { unit: daemon } = result.deployment.gateway
      const made = unitsOf(name).filter(({ file }) =>
        [`${daemon}.service`, `${daemon}.socket`, `${daemon}-admin.socket`].includes(file),
      )
      expect(made).toHaveLength(3)
      for (const { file, unit } of made) {
        const text = result.files.find(({ path }) => path === `systemd/system/${file}`)?.text ?? ''
        const own = ['/run/secrets/gate-daemon', '/run/secrets/gate.env', 'auth.token:/run/secrets/gate-token']
        expect(withoutValues(directivesOnNixos(unit), own)).toEqual(directivesOf(text))
      }
      return undefined
    },
  )

  test.each(Object.entries(RELAYS))(
    '%s: units of the relays are those of the target systemd, but for store paths',
    (name, spec) => {
      const result = compile(spec, { targets: ['systemd'], systemd: 257 })
      if (result.kind === 'refused') return expect.unreachable(JSON.stringify(result.diagnostics))
      const expected = result.files.flatMap(({ path, text }) => {
        const [, unit = '', kind = ''] =
          /^systemd\/system\/(gate-relay[^/]*)\.(service|socket)(?:\.d\/.*)?$/.exec(path) ?? []
        if (unit === '') return []
        const directives = directivesOf(text)
        // a template cannot be wanted, its instances are; on Debian "systemctl enable" does that
        if (unit.endsWith('@')) delete directives['Install.WantedBy']
        else directives['Install.WantedBy'] = [kind === 'socket' ? 'sockets.target' : 'multi-user.target']
        return [[`${unit}.${kind}`, directives] as const]
      })
      const made = unitsOf(name)
        .filter(({ file }) => /^gate-relay(?:-https|-p2p|-admin)?@/.test(file))
        .map(({ file, unit }) => [file, withoutValues(directivesOnNixos(unit), ['/run/secrets/gate-relay'])] as const)
      expect(expected.length).toBeGreaterThan(5)
      expect(Object.fromEntries(made)).toEqual(Object.fromEntries(expected))
      return undefined
    },
  )

  describe.skipIf(!hasProgram('systemd-analyze'))('systemd-analyze (needs systemd)', () => {
    test.each(names)('%s: accepts the units, and rates services 1.5 or better', (name) => {
      const place = temporaryDirectory()
      try {
        const files = unitFiles(unitsOf(name))
        for (const [file, text] of files) place.write(file, text)
        const startable = files.map(([file]) => file).filter((file) => !file.includes('@.'))
        const { status, stdout, stderr } = tryRun(
          'systemd-analyze',
          ['verify', '--man=no', '--recursive-errors=no', ...startable.map(place.file)],
          '',
          { SYSTEMD_UNIT_PATH: `${place.path}:/usr/lib/systemd/system` },
        )
        expect(stdout + stderr).toBe('')
        expect(status).toBe(0)
        for (const service of startable.filter((file) => /-daemon\.service$|-relay@/.test(file))) {
          const rated = tryRun(
            'systemd-analyze',
            ['security', '--offline=yes', '--no-pager', '--threshold=15', place.file(service)],
            '',
            {
              SYSTEMD_UNIT_PATH: `${place.path}:/usr/lib/systemd/system`,
            },
          )
          expect({ service, ...rated }).toMatchObject({ service, status: 0 })
        }
      } finally {
        place.remove()
      }
    })
  })

  test('a switch takes up what changed, and nothing else', () => {
    const triggers = (name: string, unit: string): readonly string[] =>
      hostOf(`switch: ${name}`).systemd.services[unit]?.reloadTriggers ?? expect.unreachable(unit)
    for (const [change, unit, takesUp] of [
      ['port', 'gate-address', true],
      ['port', 'gate-daemon', true],
      ['log', 'gate-address', false],
      ['log', 'gate-daemon', true],
      ['log', 'gate-one-changed', false],
      ['memory', 'gate-one-changed', true],
      ['memory', 'gate-two-changed', false],
      ['memory', 'gate-address', false],
    ] as const) {
      const same = JSON.stringify(triggers(change, unit)) === JSON.stringify(triggers('nothing', unit))
      expect({ change, unit, takesUp: !same }).toEqual({ change, unit, takesUp })
    }
  })

  test.each(WRONG)('is refused: $name', ({ name, message, warning }) => {
    const told = wrong[name] ?? expect.unreachable()
    if (warning)
      expect(told).toEqual({ failed: [], warnings: expect.arrayContaining([expect.stringContaining(message)]) })
    else expect(told.failed).toEqual([expect.stringContaining(message)])
  })
})

/** Directives without the values that only NixOS has an option for. */
function withoutValues(directives: Record<string, string[]>, values: readonly string[]): Record<string, string[]> {
  const left = Object.entries(directives).map(
    ([key, all]) => [key, all.filter((value) => !values.includes(value))] as const,
  )
  return Object.fromEntries(
    left.filter(([key, all]) => all.length > 0 || !['Service.EnvironmentFile', 'Service.LoadCredential'].includes(key)),
  )
}

/**
 * The units as this machine's systemd can read them: programs that are here, keys that it knows, and of a drop-in the
 * whole that it makes with its template.
 */
function unitFiles(units: readonly { readonly file: string; readonly unit: Parameters<typeof unitText>[0] }[]) {
  return units.map(({ file, unit }): [string, string] => {
    const template = units.find((other) => other.file === file.replace(/@.*\./, '@.') && other.file !== file)
    const instance = /@(.*)\./.exec(file)?.[1] ?? ''
    const whole = template === undefined ? unitText(unit) : `${unitText(template.unit)}\n${unitText(unit)}`
    const text = whole
      .replaceAll('/nix/store/gate/lib/gate/node', '/bin/sh')
      .replaceAll(/\/nix\/store\/gate\//g, '/usr/')
      .replaceAll(/\/nix\/store\/(?:systemd|coreutils)\/bin\//g, '/usr/bin/')
      .replaceAll('%i', template === undefined ? '%i' : instance)
      .replaceAll(/^(?:OpenFile|RestartSteps|RestartMaxDelaySec)=.*\n/gm, '')
      .replace('Type=notify-reload', 'Type=notify')
    return [file, text]
  })
}
