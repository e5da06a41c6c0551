import { expect, test } from 'vitest'
import type { ConfigHandle } from '../../../config/handle.ts'
import type { PassedSocket } from '../../../config/passed-socket.ts'
import type { ConfigError } from '../../../config/problems.ts'
import { configPlace } from '../../support/config-place.ts'

const SPEC: PassedSocket = { unit: 'gate-daemon.socket', writtenBy: 'spec' }
const URLS = ['http://192.0.2.7:3100']

/** A daemon that systemd passed a socket, which listens. */
function activated(given: Parameters<typeof configPlace>[0] = {}, socket = SPEC, urls: readonly string[] = URLS) {
  const place = configPlace(given)
  const config = place.open(given?.env ?? {}, undefined, socket)
  config.listensOn(urls)
  return { place, config }
}

const refusalOf = (config: ConfigHandle, key: string, value: unknown, force = false) =>
  config.set(key, value, { force }).then(
    () => undefined,
    (error: ConfigError) => error.problems[0],
  )

test.each([
  { key: 'server.port', value: 4000, names: 'server.port', hint: 'host = "192.0.2.7" and port = 4000' },
  { key: 'server.host', value: '::1', names: 'server.host', hint: 'host = "::1" and port = 3100' },
  { key: 'server', value: { max_body: '1MiB', port: 4000 }, names: 'server.port', hint: 'port = 4000' },
  { key: 'server', value: { host: '::', port: 1 }, names: 'server.host', hint: 'host = "::" and port = 1 ' },
  { key: 'server.port', value: 0, names: 'server.port', hint: 'port = 3100' },
])('C1: $key is not written where systemd decides it, not even by force', async ({ key, value, names, hint }) => {
  const { place, config } = activated()
  for (const force of [false, true]) {
    const problem = await refusalOf(config, key, value, force)
    expect(problem).toMatchObject({ code: 'SOCKET_DECIDES', layer: 'socket', key: names, where: 'gate-daemon.socket' })
    expect(problem?.hint).toContain(hint)
    expect(problem?.hint).toMatch(/under \[gate\.server\] in \/etc\/gate\/gate\.toml, then run: sudo gatectl apply$/)
  }
  expect(place.read()).toBeUndefined()
})

test.each([
  { writtenBy: 'nixos', urls: URLS, hint: 'write host = "192.0.2.7"; and port = 4000; in services.gate-daemon' },
  {
    writtenBy: 'unit',
    urls: URLS,
    hint: String.raw`ListenStream=\nListenStream=192.0.2.7:4000\n' >/etc/systemd/system/a.socket.d/`,
  },
  { writtenBy: 'unit', urls: ['http://[::1]:1'], hint: 'ListenStream=[::1]:4000' },
  { writtenBy: 'unit', urls: ['unix:/run/gate.sock'], hint: 'ListenStream=127.0.0.1:4000' },
  { writtenBy: 'unit', urls: [], hint: 'systemctl restart a.socket' },
] as const)(
  'C1: the line that changes the address, written by $writtenBy, at $urls',
  async ({ writtenBy, urls, hint }) => {
    const { config } = activated({}, { unit: 'a.socket', writtenBy }, urls)
    expect((await refusalOf(config, 'server.port', 4000))?.hint).toContain(hint)
  },
)

test.each([
  { key: 'server.max_body', value: '1MiB', reads: 'server.max_body', as: '1MiB' },
  { key: 'server.p2p_port', value: 4000, reads: 'server.p2p_port', as: 4000 },
  { key: 'server', value: { max_body: '1MiB' }, reads: 'server.max_body', as: '1MiB' },
  { key: 'log.level', value: 'debug', reads: 'log.level', as: 'debug' },
])('C1: $key is written as ever', async ({ key, value, reads, as }) => {
  const { config } = activated()
  await config.set(key, value, { force: false })
  expect(config.explain(reads).value).toBe(as)
  expect(config.ignored()).toEqual([])
})

test('C1: the socket is the strongest layer of explain, get and list', () => {
  const { place, config } = activated({ env: { GATE_SERVER__PORT: '1' }, runtime: '[server]\nport = 2\n' })
  const port = config.explain('server.port')
  expect(port).toMatchObject({ value: 3100, winner: 'socket', waiting: false })
  expect(port.layers).toEqual([
    { layer: 'socket', set: true, value: 3100, source: 'gate-daemon.socket' },
    { layer: 'env', set: true, value: 1, source: 'GATE_SERVER__PORT' },
    { layer: 'runtime', set: true, value: 2, source: `${place.file}:2:1` },
    { layer: 'declared', set: false },
    { layer: 'defaults', set: true, value: 3000, source: 'built in' },
  ])
  expect(port.change).toContain('sudo gatectl apply')
  const listed = new Map(config.list().map((each) => [each.key, each]))
  expect(listed.get('server.port')).toEqual(port)
  expect(listed.get('server.host')).toMatchObject({ value: '192.0.2.7', winner: 'socket' })
  expect(config.explain('server').value).toMatchObject({ host: '192.0.2.7', port: 3100, max_body: '32MiB' })
  expect(listed.get('server.max_body')?.layers.map(({ layer }) => layer)).toEqual([
    'env',
    'runtime',
    'declared',
    'defaults',
  ])
})

test.each([
  { urls: ['unix:/run/gate.sock'], host: 'unix:/run/gate.sock', port: 'unix:/run/gate.sock' },
  { urls: ['http://127.0.0.1:3000', 'http://[::1]:3000'], host: ['127.0.0.1', '::1'], port: 3000 },
  { urls: ['http://127.0.0.1:80'], host: '127.0.0.1', port: 80 },
  { urls: [], host: null, port: null },
])('C1: what $urls is shown as', ({ urls, host, port }) => {
  const { config } = activated({}, SPEC, urls)
  expect(config.explain('server.host')).toMatchObject({ value: host, winner: 'socket' })
  expect(config.explain('server.port')).toMatchObject({ value: port, winner: 'socket' })
})

test('C1: what the file and the environment hold in vain is told of, at start and at reload', async () => {
  const { place, config } = activated({ env: { GATE_SERVER__HOST: '::1' }, runtime: '[server]\nport = 2\n' })
  const named = [
    { key: 'server.host', layer: 'env', where: 'GATE_SERVER__HOST' },
    { key: 'server.port', layer: 'runtime', where: `${place.file}:2:1` },
  ]
  expect(config.ignored()).toMatchObject(named)
  expect(place.lines.filter(({ level }) => level === 'warn').map(({ fields }) => fields['key'])).toEqual([
    'server.host',
    'server.port',
  ])
  place.write('config.toml', '[server]\nport = 5\n')
  const change = await config.reload()
  expect(change).toMatchObject({ changed: [], restart: [], problems: [] })
  expect(change.ignored).toMatchObject(named)
  expect(config.diff()).toEqual([{ key: 'server.port', below: 3000, runtime: 5, effective: 'socket' }])
})

test('C1: a key that has no effect can be removed, and promote prints where it belongs', async () => {
  const { place, config } = activated({ runtime: '[server]\nport = 2\n' })
  expect(config.promote('spec')).toBe('[gate.server]\nport = 2\n')
  expect(await config.unset('server.port')).toMatchObject({ changed: [], restart: [] })
  expect(config.ignored()).toEqual([])
  expect(place.read()).not.toContain('port')
})

test('without a socket, the port is written and waits for a restart', async () => {
  const config = configPlace().open()
  expect(await config.set('server.port', 4000, { force: false })).toMatchObject({ restart: ['server.port'] })
  expect(config.explain('server.port')).toMatchObject({ value: 4000, waiting: true, winner: 'runtime' })
  expect(config.explain('server.port')).not.toHaveProperty('change')
})
