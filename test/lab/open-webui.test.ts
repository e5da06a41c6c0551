import { writeFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { bootHost, type Host, write } from './deploy.ts'
import { ENGINE_HEALTH, type Image } from './engine/image.ts'
import { describeInLab } from './suite.ts'

const PAGE = 'http://127.0.0.1:8080'

// An image of Open WebUI itself cannot be had here: engine/webui.ts has its owners, its start steps and what it writes
// where.
describeInLab(
  'A13 Open WebUI as its quadlet says',
  () => {
    let host: Host
    beforeAll(async () => {
      host = await bootHost('open-webui')
    })
    afterAll(() => host?.down())

    const gatectl = (...args: string[]) => host.exec(['gatectl', ...args], { timeoutMs: 180_000 })
    const deploy = async ({ reference, archive }: Image, more: object = {}, others: object = {}) => {
      const webui = {
        engine: 'open-webui',
        image: reference,
        image_archive: archive,
        network: true,
        port: 8080,
        secrets: { OPENAI_API_KEY: { credential: 'webui_key' } },
        ...more,
      }
      writeFileSync(host.path('/etc/gate/gate.toml'), JSON.stringify({ backends: { webui, ...others } }))
      const { code, stderr } = await gatectl('apply', '--yes')
      expect(`${code} ${stderr}`).toMatch(/^0 /)
    }
    const ask = async (path = '/', ...more: string[]) =>
      JSON.parse(await host.run(['curl', '-sS', '--max-time', '20', ...more, `${PAGE}${path}`])) as Record<
        string,
        unknown
      >
    const webui = (...args: string[]) => host.asUser('gate-webui').run(args)

    test('the first start: it writes its key and its data, as root inside and as nobody outside', async () => {
      await host.run(['systemctl', 'start', 'gate-daemon.socket', 'gate-daemon-admin.socket'])
      const key = (await host.run(['gatectl', 'token', 'create', '--name', 'webui', '--scopes', 'chat:write'])).trim()
      write(host, '/etc/credstore/webui_key', key, 0o600)
      await deploy(host.images.webui.first)
      expect(await ask()).toMatchObject({ version: '1', database: 'migrated 1\n', key: true, uid: 0 })
      const pids = (await host.run(['pgrep', '-f', 'node.*webui.ts'])).trim().split('\n')
      const uid = (await host.run(['id', '-u', 'gate-webui'])).trim()
      for (const pid of pids) expect((await host.run(['stat', '-c', '%u', `/proc/${pid}`])).trim()).toBe(uid)
    })

    test('what it offers are the models of the gateway, with the key of the credential', async () => {
      expect(await ask('/models')).toMatchObject({ object: 'list', data: expect.any(Array) })
    })

    test('E4 it is in the list of backends, and can be stopped and started as they can', async () => {
      const listed = async () => (await gatectl('backend', 'list')).stdout
      expect(await listed()).toMatch(/^webui +ready +- +- +-$/m)
      expect(await gatectl('backend', 'stop', 'webui')).toMatchObject({ code: 0, stdout: 'webui: stopped\n' })
      expect(await listed()).toMatch(/^webui +stopped/m)
      expect(await gatectl('backend', 'start', 'webui')).toMatchObject({ code: 0, stdout: 'webui: ready\n' })
      expect((await gatectl('backend', 'status', 'webui')).stdout).toMatch(/^gate-webui\.service +active/m)
      expect((await gatectl('backend', 'events', 'webui')).stdout).toMatch(/ ready$/m)
    })

    test('nothing outside of its volume can be written', async () => {
      const attempt = (path: string) =>
        host.asUser('gate-webui').exec(['podman', 'exec', 'gate-webui', 'sh', '-c', `: >${path}`])
      for (const path of ['/app/backend/.webui_secret_key', '/app/backend/open_webui/static/custom.css', '/etc/passwd'])
        expect(await attempt(path)).toMatchObject({ stderr: expect.stringContaining('Read-only file system') })
      expect(await attempt('/app/backend/data/there')).toMatchObject({ code: 0 })
    })

    test('a restart finds its users and its key again', async () => {
      await ask('/signup-alice', '-X', 'POST')
      const secret = () => webui('podman', 'exec', 'gate-webui', 'cat', '/app/backend/data/.webui_secret_key')
      const before = await secret()
      await webui('systemctl', '--user', 'restart', 'gate-webui.service')
      expect(await ask()).toMatchObject({ database: 'migrated 1\nuser /signup-alice\n' })
      expect(await secret()).toBe(before)
      expect(before.trim()).not.toBe('')
    })

    test('an upgrade migrates the data that is there', async () => {
      await deploy(host.images.webui.second)
      const database = 'migrated 1\nuser /signup-alice\nmigrated 2\n'
      expect(await ask()).toMatchObject({ version: '2', database, key: true })
      const css = await webui('podman', 'exec', 'gate-webui', 'cat', '/app/backend/data/static/custom.css')
      expect(css).toContain('version 2')
    })

    /** From inside of the container: what a request to HOST:PORT gets, `200` or why there is no answer. */
    const reach = async (address: string) => {
      const asked = `fetch('http://${address}/health', { signal: AbortSignal.timeout(3000) })`
      const said = `${asked}.then((a) => a.status, (e) => e.cause?.code ?? e.name).then((word) => console.log(word))`
      return (await webui('podman', 'exec', 'gate-webui', 'node', '-e', said)).trim()
    }

    test('D3 links: it reaches the other backend by its name, and nothing else of the host', async () => {
      const { engine, idle, webui: images } = host.images
      const search = {
        engine: 'custom',
        image: engine.reference,
        image_archive: engine.archive,
        listen: 'tcp',
        port: 8888,
        args: ['--listen', '{port}'],
        health: { command: ENGINE_HEALTH.map((word) => word.replace('{socket}', '{port}')), start_interval: '500ms' },
      }
      const member = {
        engine: 'custom',
        image: idle.reference,
        image_archive: idle.archive,
        listen: 'unix',
        notify: 'started',
        stop_timeout: '1s',
        group: 'gpu',
      }
      const others = { search, stranger: { ...search, port: 8889 }, left: { ...member, preload: true }, right: member }
      await deploy(images.second, { links: ['search'] }, others)
      for (const port of [8888, 8889])
        expect(JSON.parse(await host.run(['curl', '-sS', `http://127.0.0.1:${port}/health`]))).toEqual({ status: 'ok' })
      expect(await reach('search:8888')).toBe('200')
      for (const other of ['search:8889', '127.0.0.1:8889']) expect(await reach(other)).toBe('ECONNREFUSED')
      // the address by which podman's network shows the host itself
      expect(await reach('169.254.1.2:8889')).not.toBe('200')
      const names = await webui('podman', 'exec', 'gate-webui', 'cat', '/etc/hosts')
      expect(names).toMatch(/^127\.0\.0\.1\s+search$/m)
      expect(names).not.toContain('stranger')
    })

    test('a reboot brings it back', async () => {
      await host.reboot()
      await host.exec(['systemctl', 'is-system-running', '--wait'], { timeoutMs: 60_000 })
      expect(await ask('/', '--retry', '30', '--retry-delay', '1', '--retry-all-errors')).toMatchObject({
        version: '2',
      })
    })

    test('D3 preload: after the reboot its member of the group runs before any request, and no other', async () => {
      const state = async (name: string) => {
        const userctl = ['systemctl', '--user', '-M', `gate-${name}@.host`]
        return (await host.exec([...userctl, 'is-active', `gate-${name}.service`])).stdout.trim()
      }
      await vi.waitUntil(async () => (await state('left')) === 'active', { timeout: 60_000 })
      expect(await state('right')).toBe('inactive')
      expect(await reach('search:8888')).toBe('200')
    })
  },
  { onlyLong: true },
)
