// Hostile texts in every place of a spec at once, as systemd and podman of Debian 13 understand them.
import { readFileSync, rmSync } from 'node:fs'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { compile } from '../../compiler/compile.ts'
import type { OutputFile } from '../../compiler/emit/output.ts'
import { command, literal, printUnit } from '../../syntax/unit/print.ts'
import { sampled } from '../support/effort.ts'
import { harmlessSpec } from '../support/harmless-spec.ts'
import { attacks } from '../support/injection.ts'
import { nastyText } from '../support/nasty-text.ts'
import { nested } from '../support/target-readers.ts'
import { bootHost, type Host, write } from './deploy.ts'
import { describeInLab } from './suite.ts'

/** `env` has no meaning for units: secrets of that kind are warnings. */
const ROUNDS = [
  { way: 'credential', rounds: sampled(2, 20) },
  { way: 'file', rounds: sampled(2, 20) },
] as const
const UNITS = '/etc/systemd/system'

describeInLab('hostile texts', () => {
  let host: Host
  beforeAll(async () => {
    host = await bootHost('injection', [])
  })
  afterAll(() => host?.down())

  const place = (path: string, text: string) => write(host, path, text)

  /** What systemd makes of the units, and of the services that podman's generator makes of the quadlets. */
  async function understood(
    files: readonly OutputFile[],
    isUnqualified = false,
  ): Promise<Record<string, Record<string, unknown>>> {
    for (const path of [UNITS, '/etc/quadlets']) rmSync(host.path(path), { recursive: true, force: true })
    const quadlets = files.filter(({ path }) => path.startsWith('quadlet/users/'))
    for (const { path, text } of quadlets) place(`/etc/quadlets/${path.split('/').at(-1)}`, text)
    const generated = await host.exec([
      'env',
      'QUADLET_UNIT_DIRS=/etc/quadlets',
      '/usr/libexec/podman/quadlet',
      '-user',
      '-dryrun',
    ])
    const said = generated.stderr.split('\n').filter((line) => line !== '' && !line.includes('Loading source unit'))
    // the compiler has warned of such an image, too
    const isKnown = (line: string) => isUnqualified && line.includes('not a fully qualified image name')
    expect(said.filter((line) => !isKnown(line))).toEqual([])
    const parts = generated.stdout.split(/^---(.+\.service)---$/m).slice(1)
    const services = parts.flatMap((name, i) => (i % 2 === 0 ? [{ name, text: parts[i + 1] ?? '' }] : []))
    expect(services).toHaveLength(quadlets.length)
    const written = files.flatMap(({ path, text }) => {
      const [, uid, name] = /^(?:systemd\/system|quadlet\/user-units\/(\d+))\/(.+)$/.exec(path) ?? []
      // each user has a gate-agent.socket
      return name === undefined ? [] : [{ name: uid === undefined ? name : `${uid}-${name}`, text }]
    })
    const units = [...services, ...written]
    for (const { name, text } of units) place(`${UNITS}/${name}`, text)
    await host.run(['systemctl', 'daemon-reload'])
    const names = [...new Set(units.map(({ name }) => name.replace(/\.d\/.*$/, '')))]
      .filter((name) => !name.includes('@.'))
      .sort()
    const lines = (await host.run(['sh', '-c', READ, 'sh', ...names.map(busPath)])).trim().split('\n')
    expect(lines).toHaveLength(names.length)
    return Object.fromEntries(names.map((name, i) => [name, propertiesOf(lines[i] ?? '')]))
  }

  test.each(ROUNDS)(
    'systemd and podman read every text back as it is, or it is refused (secrets by $way)',
    async ({ way, rounds }) => {
      const targets = ['quadlet', 'systemd'] as const
      const harmless = compile(JSON.stringify(harmlessSpec(way)), { targets })
      if (harmless.kind === 'refused') return expect.unreachable(JSON.stringify(harmless.diagnostics))
      const before = await understood(harmless.files)
      expect(Object.keys(before).length).toBeGreaterThan(15)
      // what changes by itself, such as the memory that is free
      const still = await understood(harmless.files)
      const moving = new Set(
        Object.entries(before).flatMap(([unit, all]) =>
          Object.keys(all).filter((key) => JSON.stringify(all[key]) !== JSON.stringify(still[unit]?.[key])),
        ),
      )
      const kept = (all: Record<string, Record<string, unknown>>) =>
        Object.fromEntries(
          Object.entries(all).map(([unit, one]) => [
            unit,
            Object.fromEntries(Object.entries(one).filter(([key]) => !moving.has(key))),
          ]),
        )
      const harmlessly = nested(kept(before))
      for (const { compiled, expected } of attacks(way, { targets: [...targets] }, { rounds, seed: 3 })) {
        const isUnqualified = compiled.diagnostics.some(({ code }) => code === 'UNQUALIFIED_IMAGE')
        const after = await understood(compiled.files, isUnqualified)
        expect(settled(nested(kept(after)))).toEqual(settled(nested(expected(harmlessly))))
      }
      return undefined
    },
  )

  test('containers get arguments, environment, secrets, mounts and health checks as the spec has them', async () => {
    const { reference, archive } = host.images.idle
    await host.run(['podman', 'load', '--quiet', '--input', archive])
    const texts = fc.sample(nastyText, { numRuns: 200, seed: 21 }).filter(isOneLine).slice(0, BACKENDS)
    expect(texts).toHaveLength(BACKENDS)
    const mountOf = (text: string) => `/mnt/${text.replaceAll(/[/:]/g, '')}z`
    const backends = texts.map((text, i) => {
      // systemd cannot open the others, which are refused
      const file = `/srv/secret-${i}-${text.replaceAll(/[/ \\]/g, '')}z`
      // one line is the secret, whether or not line ends follow it
      place(file, text + '\n'.repeat(i % 3))
      place(`/etc/credstore/stored-${i}`, `${text} of the store`)
      return {
        engine: 'custom',
        image: reference,
        listen: 'tcp',
        args: ['--first', text, `--last=${text}`],
        environment: { TEXT: text },
        secrets: { SECRET: { file }, STORED: { credential: `stored-${i}` } },
        volumes: [{ name: 'own', path: mountOf(text) }],
        health: { command: ['probe', text] },
      }
    })
    const spec = { backends: Object.fromEntries(backends.map((backend, i) => [`b${i}`, backend])) }
    const result = compile(JSON.stringify(spec), { targets: ['quadlet', 'systemd'] })
    if (result.kind === 'refused')
      return expect.unreachable(JSON.stringify(result.diagnostics.filter(({ severity }) => severity === 'error')))
    const units = await understood(result.files)
    for (const { path, install, text } of result.files)
      if (install !== undefined && /sysusers|tmpfiles/.test(path)) place(install, text)
    await host.run(['systemd-sysusers'])
    await host.run(['systemd-tmpfiles', '--create', 'gate.conf'])
    const secretUnits = backends.map((_, i) => `gate-b${i}-secrets.service`)
    await host.run(['systemctl', 'start', ...secretUnits], { timeoutMs: 60_000 })
    for (const [i, text] of texts.entries()) {
      const written = readFileSync(host.path(`/run/gate/secrets/b${i}/environment`), 'utf8')
      expect(written).toBe(`SECRET=${text}\nSTORED=${text} of the store\n`)
      const starts = units[`gate-b${i}.service`]?.['ExecStart'] as [string, string[]][] | undefined
      // systemd halves dollars when it executes, which the test below does
      const argv = (starts?.[0]?.[1] ?? []).map((word) => word.replaceAll('$$', '$'))
      const id = await host.run(['podman', 'create', ...createArguments(argv)])
      const [made] = JSON.parse(await host.run(['podman', 'container', 'inspect', id.trim()])) as [Inspected]
      expect(made.Config.Cmd).toEqual(['--first', text, `--last=${text}`])
      const variables = [`TEXT=${text}`, `SECRET=${text}`, `STORED=${text} of the store`]
      expect(made.Config.Env).toEqual(expect.arrayContaining(variables))
      expect(made.Config.Healthcheck.Test).toEqual(['CMD', 'probe', text])
      expect(made.Config.Labels).toMatchObject({ 'gate.backend': `b${i}`, 'gate.managed': 'gate' })
      expect(made.Mounts.map(({ Destination }) => Destination)).toEqual([mountOf(text)])
    }
    return undefined
  })

  test('systemd executes the words of a command as they are', async () => {
    const texts = fc.sample(nastyText, { numRuns: 400, seed: 4 }).filter(isOneLine)
    expect(texts.length).toBeGreaterThan(100)
    const print = command('/bin/sh', '-c', 'printf "%s\\0" "$@" >/run/words', 'sh', ...texts)
    const entries = [
      { key: 'Type', value: literal('oneshot') },
      { key: 'ExecStart', value: print },
    ]
    place(
      `${UNITS}/words.service`,
      printUnit({ origin: [], comment: [], sections: [{ name: 'Service', entries }] }).text,
    )
    await host.run(['systemctl', 'daemon-reload'])
    await host.run(['systemctl', 'start', 'words.service'])
    expect(readFileSync(host.path('/run/words'), 'utf8').split('\0').slice(0, -1)).toEqual(texts)
  })
})

const BACKENDS = 16

const isOneLine = (text: string): boolean =>
  text !== '' &&
  text !== '__proto__' &&
  !/[\p{Cc}\u2028\u2029\p{NChar}]/u.test(text) &&
  text.isWellFormed() &&
  !/\{(?:socket|port|model)\}/.test(text)

/** The parts of `podman container inspect` that a spec decides. */
type Inspected = {
  readonly Config: {
    readonly Cmd: string[]
    readonly Env: string[]
    readonly Healthcheck: { readonly Test: string[] }
    readonly Labels: Record<string, string>
  }
  readonly Mounts: { readonly Destination: string }[]
}

/** Of `podman run`, without what only a service of an unprivileged user can have. */
function createArguments(argv: readonly string[]): string[] {
  const alone = ['--rm', '-d', '--replace', '--cgroups=split', '--sdnotify=healthy', '--sdnotify=conmon']
  const withValue = ['--cidfile', '--userns', '--network', '--group-add', '--log-driver', '--name']
  return argv
    .slice(argv.indexOf('run') + 1)
    .filter(
      (word, i, all) =>
        !alone.includes(word) &&
        !withValue.includes(all[i - 1] ?? '') &&
        !withValue.some((flag) => word === flag || word.startsWith(`${flag}=`)),
    )
}
/** All that systemd knows of each unit, one line of JSON for one unit. */
const READ = `for path; do
  busctl --json=short call org.freedesktop.systemd1 "$path" org.freedesktop.DBus.Properties GetAll s '' || exit
done`

/** Where a unit is found on the bus; sd_bus_path_encode(3). */
function busPath(unit: string): string {
  const escaped = [...Buffer.from(unit)].map((byte, i) => {
    const sign = String.fromCharCode(byte)
    return /[A-Za-z]/.test(sign) || (i > 0 && /\d/.test(sign)) ? sign : `_${byte.toString(16).padStart(2, '0')}`
  })
  return `/org/freedesktop/systemd1/unit/${escaped.join('')}`
}

function propertiesOf(line: string): Record<string, unknown> {
  const { data } = JSON.parse(line) as { data: [Record<string, { data: unknown }>] }
  return Object.fromEntries(
    Object.entries(data[0]).map(([key, { data: value }]) => [
      key,
      key.startsWith('IPAddress') ? addressesOf(value) : value,
    ]),
  )
}

/** Triples of family, bytes and prefix length as text; 2 is AF_INET. */
function addressesOf(value: unknown): unknown {
  if (!Array.isArray(value)) return value
  return value.map(([family, bytes, length]) =>
    family === 2 ? `${bytes.join('.')}/${length}` : `${family} ${bytes}/${length}`,
  )
}

/** Lists that systemd keeps in no order: addresses, credentials, and what units have to do with others. */
const SETS = /^(?:IPAddress|LoadCredential|Names$|After$|Before$|Wants$|Requires$|Triggers$)|By$/

function settled(tree: unknown): unknown {
  if (typeof tree !== 'object' || tree === null || Array.isArray(tree)) return tree
  return Object.fromEntries(
    Object.entries(tree).map(([key, inner]) => [
      key,
      SETS.test(key) && Array.isArray(inner) ? inner.toSorted() : settled(inner),
    ]),
  )
}
