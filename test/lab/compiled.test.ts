import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compile } from '../../compiler/compile.ts'
import type { OutputFile } from '../../compiler/emit/output.ts'
import { DEBIAN_LAYOUT } from '../../schemas/deploy/layout.ts'
import { isLong, sampled } from '../support/effort.ts'
import { goldenFiles, goldenPodman, goldensOf } from '../support/golden.ts'
import { startable } from '../support/host-root.ts'
import { nastyText } from '../support/nasty-text.ts'
import { readUnit, readWords } from '../support/unit-reader.ts'
import { runInDebian, type StagedFile } from './debian.ts'
import { prepareRootfs } from './rootfs.ts'

const NIX_EXPECTED = join(import.meta.dirname, '../nix/expected')
const NIX_SAMPLES = readdirSync(NIX_EXPECTED)

const { programs: PROGRAMS } = DEBIAN_LAYOUT
const OWN_PROGRAMS = [PROGRAMS.node, PROGRAMS.daemon, PROGRAMS.relay, PROGRAMS.gatectl]

/** podman of Debian 13. */
const MINOR_OF_5 = 4
/** What the compiler is asked for in the lab: the golden's own podman, or the lab's when that is newer than it. */
const quadletFiles = (name: string) => {
  const { major, minor } = goldenPodman(name)
  const isNewer = major > 5 || (major === 5 && minor > MINOR_OF_5)
  const podman = isNewer ? { major: 5, minor: MINOR_OF_5 } : { major, minor }
  return goldenFiles(name, { targets: ['quadlet'], podman }).filter(({ path }) => path.startsWith('quadlet/users/'))
}

/** Plain units of users, sockets and services only. */
const userUnits = (name: string) =>
  goldenFiles(name, { targets: ['quadlet'] }).filter(({ path }) => /^quadlet\/user-units\/\d+\/[^/]+$/.test(path))

const rootfs = await prepareRootfs()
const title = rootfs.kind === 'ready' ? 'on Debian 13' : `on Debian 13 (needs a lab: ${rootfs.reason})`

describe.skipIf(rootfs.kind !== 'ready')(title, () => {
  const run = (files: Iterable<StagedFile>, ...command: readonly string[]) => runInDebian(rootfs, files, command)

  /** Runs podman's generator over the quadlets. @returns service -> its text, and what it complained about */
  function generate(files: readonly OutputFile[]) {
    const directories = [...new Set(files.map(({ path }) => `/${dirname(path)}`))]
    const { code, stdout, stderr } = run(
      files.map(({ path, text }) => [path, text] as const),
      `QUADLET_UNIT_DIRS=${directories.join(':')}`,
      '/usr/libexec/podman/quadlet',
      '-user',
      '-dryrun',
    )
    const parts = stdout.split(/^---(.+\.service)---$/m).slice(1)
    const services = new Map(parts.flatMap((part, i) => (i % 2 === 0 ? [[part, parts[i + 1] ?? '']] : [])))
    const complaints = stderr.split('\n').filter((line) => line !== '' && !line.includes('Loading source unit file'))
    return { code, services, complaints }
  }

  /** Has the user's systemd check what podman made and the plain units beside it, one user after the other. */
  function verifyUserUnits(
    quadlets: readonly OutputFile[],
    plain: readonly OutputFile[],
    services: ReadonlyMap<string, string>,
  ) {
    const made = quadlets.map(({ path }): [string, string] => [
      `units/${uidOf(path)}/${serviceOf(path)}`,
      services.get(serviceOf(path)) ?? '',
    ])
    const beside = plain.map(({ path, text }): [string, string] => [path.replace('quadlet/user-units', 'units'), text])
    const script = `for dir in /units/*; do
  set --
  for unit in "$dir"/*.service "$dir"/*.socket; do case $unit in *@.service | *'*'*) ;; *) set -- "$@" "$unit" ;; esac; done
  systemd-analyze verify --user --man=no "$@" || exit
done`
    const programs = [PROGRAMS.agent, ...OWN_PROGRAMS].map((path) => [path, '', 0o755] as const)
    return run([...made, ...beside, ...programs], 'XDG_RUNTIME_DIR=/run', 'HOME=/root', 'sh', '-c', script)
  }

  test.each(goldensOf('quadlet'))(
    'podman makes every service of %s, and systemd finds nothing wrong with them',
    (name) => {
      const files = quadletFiles(name)
      const { code, services, complaints } = generate(files)
      expect(complaints).toEqual([])
      expect(code).toBe(0)
      expect([...services.keys()].sort()).toEqual(files.map(({ path }) => serviceOf(path)).sort())
      expect(verifyUserUnits(files, userUnits(name), services)).toEqual({ code: 0, stdout: '', stderr: '' })
    },
  )

  test('podman reads any argument and environment back as it is, and nothing else', () => {
    const texts = fc
      .sample(nastyText, { numRuns: sampled(300, 1_000), seed: 7 })
      .filter(isAllowed)
      .filter((text) => text !== ';') // refused: podman would make two commands of it (A14)
    expect(texts.length).toBeGreaterThan(sampled(60, 200))
    const backends = texts.map((text, i): [string, object] => [`b${i}`, backendWith(text)])
    const result = compile(JSON.stringify({ backends: Object.fromEntries(backends) }), { targets: ['quadlet'] })
    if (result.kind === 'refused') throw new Error(JSON.stringify(result.diagnostics.slice(0, 3)))
    const files = result.files.filter(({ path }) => path.startsWith('quadlet/users/'))
    const { services, complaints } = generate(files)
    expect(complaints).toEqual([])
    const plain = keysOf(services.get(`gate-b${texts.length - 1}.service`) ?? '')
    for (const [i, text] of texts.entries()) {
      const service = services.get(`gate-b${i}.service`) ?? ''
      const start = readUnit(service).find(({ section, key }) => section === 'Service' && key === 'ExecStart')
      const argv = readWords((start?.value ?? '').replace('%t/%N.cid', ''), { dollars: true })
      expect(argv.slice(argv.indexOf(IMAGE) + 1)).toEqual(['--first', text, `--last=${text}`])
      expect(argv[argv.indexOf('--env') + 1]).toBe(`TEXT=${text}`)
      expect(keysOf(service)).toEqual(plain)
    }
  })

  test.each(goldensOf('systemd'))('systemd finds nothing wrong with the units of %s', (name) => {
    const files = goldenFiles(name, { targets: ['systemd'] })
    const programs = OWN_PROGRAMS.map((path) => [path, '', 0o755] as const)
    const found = run([...placed(files), ...programs], 'systemd-analyze', 'verify', '--man=no', ...startable(files))
    expect(found).toEqual({ code: 0, stdout: '', stderr: '' })
    const exposed = startable(files).filter((unit) => /(?:-daemon|-relay@.*)\.service$/.test(unit))
    const rate = ['systemd-analyze', 'security', '--offline=yes', '--no-pager', '--threshold=15']
    expect(run([...placed(files), ...programs], ...rate, ...exposed).code).toBe(0)
  })

  test.each(NIX_SAMPLES)('systemd finds nothing wrong with the units that the NixOS modules make of %s', (name) => {
    const units = readdirSync(join(NIX_EXPECTED, name))
      .filter((file) => file !== 'host.json')
      .map((file) => {
        const isDropIn = /@[^.]/.test(file)
        const text = readFileSync(join(NIX_EXPECTED, name, file), 'utf8')
        return {
          unit: file,
          path: `/etc/systemd/system/${file}${isDropIn ? '.d/overrides.conf' : ''}`,
          text: text
            .replaceAll(/\/nix\/store\/(?:systemd|coreutils)\//g, '/usr/')
            .replaceAll('/nix/store/gate/lib/gate/node', '/usr/bin/sh'),
        }
      })
    const started = units.map(({ unit }) => unit).filter((unit) => !unit.includes('@.'))
    const found = run(
      units.map(({ path, text }) => [path, text]),
      'systemd-analyze',
      'verify',
      '--man=no',
      ...started,
    )
    expect(started.length).toBeGreaterThan(2)
    expect(found).toEqual({ code: 0, stdout: '', stderr: '' })
  })

  test.each(goldensOf('systemd').filter((name) => isLong || name.startsWith('deployed-')))(
    'the accounts and directories of %s are made as they are written',
    (name) => {
      const files = goldenFiles(name, { targets: ['systemd'] })
      const script = 'systemd-sysusers >&2 && systemd-tmpfiles --create /etc/tmpfiles.d/*.conf >&2 || exit'
      const { code, stdout, stderr } = run(
        placed(files),
        'sh',
        '-c',
        `${script}; while read -r path; do stat --format "%n %a %U %G" "$path"; done <<EOF\n${directoriesOf(files)
          .map(([path]) => path)
          .join('\n')}\nEOF`,
      )
      expect(stderr).not.toMatch(/fail|unsafe|error|ignor/i)
      expect(code).toBe(0)
      expect(stdout.trim().split('\n')).toEqual(directoriesOf(files).map((columns) => columns.join(' ')))
    },
  )
})

const placed = (files: readonly OutputFile[]) =>
  files.flatMap(({ install, text, mode }) => (install === undefined ? [] : [[install, text, mode] as const]))

/** Path, mode, owner and group of every directory in tmpfiles.d. */
const directoriesOf = (files: readonly OutputFile[]): string[][] =>
  files
    .filter(({ path }) => path.includes('/tmpfiles.d/'))
    .flatMap(({ text }) => text.split('\n').filter((line) => line.startsWith('d ')))
    .map((line) => line.split(' ').slice(1, 5))
    .map(([path = '', mode = '', ...owners]) => [path, mode.replace(/^0/, ''), ...owners])

const IMAGE = `example.org/engine@sha256:${'0'.repeat(64)}`

const backendWith = (text: string) => ({
  engine: 'custom',
  image: IMAGE,
  notify: 'started',
  listen: 'unix',
  args: ['--first', text, `--last=${text}`],
  environment: { TEXT: text },
})

/** What parsing refuses, and what means something in the arguments of an engine of ours. */
const isAllowed = (text: string): boolean =>
  text !== '' &&
  text !== '__proto__' &&
  !/[\p{Cc}\u2028\u2029\p{NChar}]/u.test(text) &&
  text.isWellFormed() &&
  !/\{(?:socket|port|model)\}/.test(text)

/** Sections and keys in order, but for what differs by name. */
const keysOf = (unit: string): string[] => readUnit(unit).map(({ section, key }) => `${section} ${key}`)

const uidOf = (path: string): string => path.split('/')[2] ?? ''

function serviceOf(path: string): string {
  const [, unit = '', kind = ''] = /([^/]+)\.(container|volume|network)$/.exec(path) ?? []
  return kind === 'container' ? `${unit}.service` : `${unit}-${kind}.service`
}
