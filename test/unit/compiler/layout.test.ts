import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { compile } from '../../../compiler/compile.ts'
import { DEBIAN_LAYOUT, type Layout, layoutSchema } from '../../../schemas/deploy/layout.ts'
import { goldenNames, goldenResult } from '../../support/golden.ts'

const TARGETS = ['systemd', 'quadlet', 'nginx', 'dnsmasq', 'nftables'] as const
const IMAGE = `docker.io/ollama/ollama@sha256:${'0'.repeat(64)}`
const SPEC = `[gate]
domain = "ai.example.org"
[gate.server]
open_firewall = true
[gate.tls.acme]
email = "root@example.org"
domains = ["ai.example.org"]
[proxy]
engine = "nginx"
[dns]
engine = "dnsmasq"
listen = "192.0.2.1"
[backends.one]
engine = "ollama"
image = "${IMAGE}"
idle_stop = "5m"
secrets = { TOKEN = { file = "/run/secrets/token" } }
[relays.public]
https_port = 8443
`

const WITH_CA = SPEC.replace(/\[gate\.tls\.acme\]\n.*\n.*\n/, '[gate.tls]\ninternal_ca = true\n')

function filesOf(layout: unknown, spec = SPEC): Record<string, string> {
  const result = compile(spec, { targets: TARGETS, layout: layoutSchema.parse(layout) })
  if (result.kind === 'refused') return expect.unreachable(JSON.stringify(result.diagnostics))
  return Object.fromEntries(result.files.map(({ path, text }) => [path, text]))
}

test('no layout is that of Debian', () => {
  for (const name of goldenNames()) {
    const { result } = goldenResult(name)
    const { result: again } = goldenResult(name, { layout: layoutSchema.parse({}) })
    expect(again.kind === 'compiled' ? again.files : again).toEqual(result.kind === 'compiled' ? result.files : result)
  }
})

/** Programs that the spec above runs; kill is only for a systemd before 253. */
const PROGRAMS = Object.keys(DEBIAN_LAYOUT.programs).filter((name) => !['systemctl', 'kill'].includes(name))

test.each(PROGRAMS)('programs.%s is named where it is used, and nothing else changes', (name) => {
  const place = `/opt/a %b/$c"d/${name}`
  const spec = name === 'gatectl' ? WITH_CA : SPEC
  const before = filesOf({}, spec)
  const after = filesOf({ programs: { [name]: place } }, spec)
  const changed = Object.keys(after).filter((path) => after[path] !== before[path])
  expect(changed.length).toBeGreaterThan(0)
  expect(changed.filter((path) => !path.endsWith('README.txt')).length).toBeGreaterThan(0)
  // one word for whoever reads the file
  const plain = name === 'nologin' ? '"/opt/a %%b/$c\\"d/' : '/opt/a %%b/$$c\\"d/'
  for (const path of changed) expect(after[path]).toContain(`${plain}${name}`)
})

test('certificates of nginx are where the layout says', () => {
  const files = filesOf({ certificates: { directory: '/var/lib/acme', key: 'key.pem' } })
  expect(files['nginx/gate.conf']).toContain('ssl_certificate /var/lib/acme/ai.example.org/fullchain.pem;')
  expect(files['nginx/gate.conf']).toContain('ssl_certificate_key /var/lib/acme/ai.example.org/key.pem;')
  expect(files['nginx/gate.conf']).not.toContain('letsencrypt')
})

test('a host that keeps the list of lingering accounts itself gets no such file', () => {
  expect(filesOf({})['systemd/tmpfiles.d/gate.conf']).toContain('f /var/lib/systemd/linger/gate-one ')
  expect(filesOf({ directories: { linger: null } })['systemd/tmpfiles.d/gate.conf']).not.toContain('linger')
})

test('images have units only where the layout has a program for them', () => {
  const folder = Object.keys(filesOf({}))
    .find((path) => path.endsWith('/gate-one.socket'))
    ?.replace('gate-one.socket', '')
  const units = ['gate-one-image.service', 'gate-one-update.service', 'gate-one.service.d/50-image.conf']
  for (const unit of units) expect(filesOf({})[`${folder}${unit}`]).toBeUndefined()
  const files = filesOf({ images: { fetch: '/opt/fetch', search_path: ['/run/wrappers/bin', '/opt/bin'] } })
  const [get, update, dropIn] = units.map((unit) => files[`${folder}${unit}`] ?? expect.unreachable(unit))
  expect(get).toContain(`ExecStart=/opt/fetch /usr/bin/podman ${IMAGE}\n`)
  expect(update).toContain(
    'ExecStart=/usr/bin/systemctl --user try-restart gate-one.service\nExecStart=/usr/bin/systemctl --user try-restart gate-one.socket\n',
  )
  expect(dropIn).toContain('Requires=gate-one-image.service\nAfter=gate-one-image.service\n')
  expect(dropIn).toContain('Environment=PATH=/run/wrappers/bin:/opt/bin\n')
})

describe('what is refused', () => {
  test.each([
    ['a relative path', { programs: { podman: 'podman' } }],
    ['a line break', { programs: { podman: '/opt/podman\nExecStart=/bin/evil' } }],
    ['NUL', { directories: { units: '/etc/\u0000' } }],
    ['an empty path', { images: { fetch: '' } }],
    ['a relative search path', { images: { fetch: '/x', search_path: ['bin'] } }],
    ['a certificate in another directory', { certificates: { key: '../key.pem' } }],
    ['an unknown program', { programs: { docker: '/usr/bin/docker' } }],
    ['an unknown group', { program: {} }],
  ])('%s', (_, layout) => expect(layoutSchema.safeParse(layout).success).toBe(false))

  test('a directory of certificates that nginx cannot open', () => {
    const layout = layoutSchema.parse({ certificates: { directory: '/var/$name' } })
    const result = compile(SPEC, { targets: ['nginx'], layout })
    expect(result.diagnostics.map(({ message }) => message)).toContainEqual(
      expect.stringContaining('nginx cannot open this path'),
    )
  })
})

test('docs/layout.md lists every key with its place on Debian', () => {
  const page = readFileSync(join(import.meta.dirname, '../../../docs/layout.md'), 'utf8')
  const { images: _, ...groups }: Layout = DEBIAN_LAYOUT
  for (const [group, keys] of Object.entries(groups))
    for (const [key, place] of Object.entries(keys)) expect(page).toContain(`| \`${group}.${key}\` | \`${place}\` |`)
  for (const key of ['images.fetch', 'images.search_path']) expect(page).toContain(`| \`${key}\` |`)
})
