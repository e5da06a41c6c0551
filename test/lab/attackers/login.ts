import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import type { ChatResult } from '../chats.ts'
import type { Host } from '../deploy.ts'
import { ENGINE_PORT } from '../engine/image.ts'
import { GATEWAY, NODE } from '../gate.ts'

/** Of the backend `port`, on the loopback of the host. */
export const PUBLISHED_PORT = 8222

/** What an account of the host without any group tries. */
export function loginAttacks(host: () => Host): void {
  test("does not reach the API of Caddy, which hands out the CA's key and takes any configuration", async () => {
    const listening = await host().run(['ss', '--listening', '--tcp', '--numeric', '--no-header'])
    expect(listening).toMatch(/:443 /)
    expect(listening).not.toMatch(/:2019 /)
    for (const user of ['login', 'gate', 'gate-own']) {
      const curl = ['curl', '-sS', '--max-time', '5', '--unix-socket', '/run/caddy/admin.sock', 'http://x/config/']
      expect(await host().exec(curl, { user })).toMatchObject({ code: 7, stdout: '' })
    }
  })

  test('blocks no apply by holding its lock', async () => {
    const lock = '/run/gate-deploy.lock'
    expect(await host().run(['stat', '--format=%U %a', lock])).toBe('root 600\n')
    const flock = ['flock', '--shared', '--nonblock', lock, 'echo', 'held']
    expect(await host().exec(flock, { user: 'login' })).toMatchObject({ code: 66, stdout: '' })
  })

  test('leads root to no other file when it writes into the home of a login', async () => {
    const plant = 'cd && ln -s /etc/tmpfiles.d elsewhere && ln -s /etc/tmpfiles.d/planted gate.schema.json'
    await host().run(['sh', '-c', `HOME=/home/login; ${plant}`], { user: 'login' })
    const before = await host().run(['ls', '-A', '/etc/tmpfiles.d'])
    const bundle = ['gatectl', 'doctor', '--only', 'dev-null', '--bundle', '/home/login/elsewhere/bundle.tar.gz']
    expect(await host().exec(bundle)).toMatchObject({ code: 1, stderr: expect.stringContaining('link of another') })
    await host().run(['gatectl', 'init', '--yes', '/home/login/gate.toml'])
    expect(await host().run(['ls', '-A', '/etc/tmpfiles.d'])).toBe(before)
  })

  test('leads root to no other file by a link in place of the archive of an image', async () => {
    const spec = JSON.parse(await host().run(['cat', '/etc/gate/gate.toml']))
    const archive = '/home/login/engine.tar'
    const own = { ...spec.backends.own, image: `localhost/other@sha256:${'0'.repeat(64)}`, image_archive: archive }
    const text = JSON.stringify({ ...spec, backends: { ...spec.backends, own } })
    await host().run(['sh', '-c', 'cat >/run/linked.json'], { input: text })
    const apply = () => host().exec(['gatectl', 'apply', '--yes', '/run/linked.json'], { timeoutMs: 120_000 })
    await host().run(['ln', '-s', '/etc/shadow', archive], { user: 'login' })
    expect(await apply()).toMatchObject({ stderr: expect.stringContaining(`${archive} cannot be opened: a link of`) })
    // what is no link is handed over, and podman looks at it
    await host().run(['sh', '-c', `rm ${archive} && echo text >${archive}`], { user: 'login' })
    expect(await apply()).toMatchObject({ stderr: expect.stringContaining(`${archive} cannot be loaded for gate-own`) })
  })

  test('runs nothing as root that keeps its environment, as with sudo -E', async () => {
    const kept = ['HOME=/home/login', 'XDG_CACHE_HOME=/home/login/.cache', 'TMPDIR=/home/login/tmp']
    await host().run(['mkdir', '-p', '/home/login/tmp', '/home/login/.cache'], { user: 'login' })
    await host().run(['env', ...kept, 'gatectl', '--version'])
    expect(await host().run(['find', '/home/login/.cache', '/home/login/tmp', '-user', 'root'])).toBe('')
    expect(await host().run(['find', '/root/.cache/gate/compiled', '-type', 'f'])).not.toBe('')
  })

  test('does not reach the socket of the proxy, over which the daemon believes what is said of a client', async () => {
    const curl = ['curl', '-sS', '--max-time', '5', '--unix-socket', '/run/gate/proxy.sock', 'http://x/health']
    for (const user of ['login', 'gate-own']) {
      expect(await host().exec(curl, { user })).toMatchObject({ code: 7, stdout: '' })
    }
    expect(await host().exec(curl, { user: 'caddy' })).toMatchObject({ code: 0 })
  })

  test('gets nothing that is meant for a backend on TCP by taking its port while it starts again', async () => {
    for (const script of ['chats.ts', 'attackers/take-ports.ts'])
      cpSync(join(import.meta.dirname, '..', script), host().path(`/opt/${script.replace('attackers/', '')}`))
    const token = (await host().run(['gatectl', 'token', 'create', '--scopes', 'chat:write'])).trim()
    const chats = async (count: number): Promise<ChatResult[]> => {
      const wanted = [{ model: 'tcp/test-model', tokens: 3, count, turns: 3, stream: false }]
      const sent = [NODE, '/opt/chats.ts', GATEWAY, token, JSON.stringify(wanted)]
      return JSON.parse(await host().run(sent, { timeoutMs: 120_000 }))
    }
    const arrive = async () => (await chats(1)).every(({ isWhole }) => isWhole)
    expect(await arrive()).toBe(true)
    const thief = host().start(['runuser', '-u', 'login', '--', NODE, '/opt/take-ports.ts', String(ENGINE_PORT)])
    let told = ''
    thief.stdout?.on('data', (chunk: Buffer) => {
      told += chunk.toString()
    })
    await vi.waitUntil(() => told.includes(`took ${ENGINE_PORT}\n`), { timeout: 30_000 })
    await host().run(['pkill', '--signal', 'KILL', '--euid', 'gate-tcp', '--full', 'engine.mjs'])
    await chats(4)
    expect(told).not.toContain('got')
    await vi.waitUntil(arrive, { timeout: 120_000 })
    thief.stdin?.end()
    await new Promise((resolve) => thief.once('close', resolve))
    expect(told).not.toContain('got')
  })

  test('gets nothing that is sent to the port of a backend on the host while it holds that port', async () => {
    const ask = () => host().exec(['curl', '-sS', '--max-time', '3', `http://127.0.0.1:${PUBLISHED_PORT}/health`])
    const answers = async () => (await ask()).code === 0
    const userctl = (verb: string) =>
      host().asUser('gate-port').run(['systemctl', '--user', verb, 'gate-port.service'], { timeoutMs: 120_000 })
    await vi.waitUntil(answers, { timeout: 60_000 })
    cpSync(join(import.meta.dirname, 'take-ports.ts'), host().path('/opt/take-ports.ts'))
    await userctl('stop')
    const thief = host().start(['runuser', '-u', 'login', '--', NODE, '/opt/take-ports.ts', String(PUBLISHED_PORT)])
    let told = ''
    thief.stdout?.on('data', (chunk: Buffer) => {
      told += chunk.toString()
    })
    await vi.waitUntil(() => told.includes(`took ${PUBLISHED_PORT}\n`), { timeout: 30_000 })
    const TIMED_OUT = 28
    expect(await ask()).toMatchObject({ code: TIMED_OUT, stdout: '' })
    expect(told).not.toContain('got')
    // by that rule alone
    await host().run(['nft', 'flush', 'chain', 'inet', 'gate_egress', 'reserved'])
    expect(await answers()).toBe(true)
    await vi.waitUntil(() => told.includes(`got GET /health on ${PUBLISHED_PORT}`), { timeout: 30_000 })
    await host().run(['systemctl', 'reload', 'gate-egress.service'])
    thief.stdin?.end()
    await new Promise((resolve) => thief.once('close', resolve))
    await userctl('start')
    await vi.waitUntil(answers, { timeout: 60_000 })
  })
}
