import { mkdirSync, writeFileSync } from 'node:fs'
import { expect, test, vi } from 'vitest'
import type { Host } from '../deploy.ts'
import { GATEWAY, NODE } from '../gate.ts'

/** Of the upstream `paid`, which the spec of this machine names. */
export const PROVIDER_KEY = 'sk-of-the-provider-4f6a1d'
const CSI = '\u009b'
/** What moves a cursor, or turns a line around; our own lines end. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must be found
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e]/

/** What waits for a request that was led elsewhere: it writes down what it gets. */
const BAIT = `const [, , socket, file] = process.argv
  const { appendFileSync, chmodSync } = require('node:fs')
  const server = require('node:http').createServer((request, response) => {
    appendFileSync(file, JSON.stringify([request.url, request.headers]) + '\\n')
    response.setHeader('content-type', 'application/json').end('{"object":"list","data":[]}')
  })
  server.listen(socket, () => { chmodSync(socket, 0o666); console.log('ready') })`

/** What a member of gate-admin tries. It may change the daemon's configuration, and is nobody else's account. */
export function adminAttacks(host: () => Host): void {
  const admin = async (command: readonly string[]) => {
    const { code, stdout, stderr } = await host().exec(command, { user: 'admin' })
    return { code, said: stdout + stderr }
  }
  const gatectl = (...args: string[]) => admin(['gatectl', ...args])

  test('needs root for no command but those that change the host', async () => {
    for (const command of [
      'status',
      'backend list',
      'backend status own',
      'token list',
      'config explain upstreams.paid.api_key',
      'logs',
    ])
      expect(await gatectl(...command.split(' '))).toMatchObject({ code: 0 })
    for (const command of ['apply --yes', 'rollback --yes', 'uninstall --yes']) {
      const { code, said } = await gatectl(...command.split(' '))
      expect({ code, said }).toMatchObject({ code: 1, said: expect.stringContaining('root') })
    }
  })

  test("never sees a provider's key, wherever it leads its requests", async () => {
    const place = '/srv/bait'
    mkdirSync(host().path(place), { recursive: true })
    const [socket, got] = [`${place}/bait.sock`, `${place}/got`]
    writeFileSync(host().path(got), '')
    writeFileSync(host().path(`${place}/bait.cjs`), BAIT)
    const bait = host().start([NODE, `${place}/bait.cjs`, socket, got])
    await new Promise((resolve) => bait.stdout?.once('data', resolve))
    const key = (await host().run(['gatectl', 'token', 'create', '--scopes', 'chat:write'], { user: 'admin' })).trim()
    const headers = [`authorization: Bearer ${key}`, 'content-type: application/json'].flatMap((line) => ['-H', line])
    const body = '{"model":"paid/any","messages":[{"role":"user","content":"hi"}]}'
    const ask = () =>
      admin(['curl', '-sS', '--max-time', '20', ...headers, '--data', body, `${GATEWAY}/v1/chat/completions`])
    const received = () => host().run(['cat', got])
    const ways = [
      { 'upstreams.paid.socket': socket, 'upstreams.paid.base_url': 'http://provider.example/v1' },
      { 'upstreams.paid.base_url': 'http://127.0.0.1:18099/v1' },
    ]
    for (const way of ways) {
      for (const [name, value] of Object.entries(way)) {
        const { code, said } = await gatectl('config', 'set', name, value)
        expect(code, said).toBe(0)
        expect(said).not.toContain(PROVIDER_KEY)
      }
      await ask()
      for (const name of Object.keys(way)) await gatectl('config', 'unset', name)
    }
    // the one over its socket arrives: what is refused is the key
    await vi.waitFor(async () => expect(await received()).toContain('/chat/completions'), { timeout: 20_000 })
    expect(await received()).not.toContain(PROVIDER_KEY)
    for (const command of ['config get upstreams', 'config explain upstreams.paid.api_key', 'logs', 'status --json']) {
      expect((await gatectl(...command.split(' '))).said).not.toContain(PROVIDER_KEY)
    }
    bait.kill('SIGKILL')
  })

  test("writes nothing but text to root's terminal", async () => {
    expect(await gatectl('token', 'create', '--name', `${CSI}2J`)).toMatchObject({ code: 1 }) // names are not even taken
    // what JSON leaves as it is: a terminal's sequences begin with U+009B, too, and U+202E turns the line around
    const models = [`${CSI}2J\u202eowned`]
    const evil = { provider: 'custom', base_url: 'http://127.0.0.1:9/v1', models }
    expect(await gatectl('config', 'set', 'upstreams.evil', JSON.stringify(evil))).toMatchObject({ code: 0 })
    const shown = ['config get upstreams', 'config explain upstreams.evil.models', 'config diff', 'config promote']
    for (const command of [...shown, 'token list', 'status', 'logs', 'doctor']) {
      const { stdout, stderr } = await host().exec(['gatectl', ...command.split(' ')], { timeoutMs: 60_000 })
      expect(stdout + stderr, command).not.toMatch(CONTROLS)
      if (shown.includes(command)) expect(stdout, command).toMatch(/2J\\u202eowned/)
    }
    await gatectl('config', 'unset', 'upstreams.evil')
  })

  test('reads no file and no variable of the daemon by a value of its configuration', async () => {
    const variables = ['GATE_UPSTREAMS__PAID__API_KEY', 'CREDENTIALS_DIRECTORY'].map((name) => `\${${name}}`)
    for (const value of [...variables, '/etc/shadow']) {
      await gatectl(
        'config',
        'set',
        'upstreams.mine',
        JSON.stringify({ base_url: 'http://127.0.0.1:18099/v1', api_key: value }),
      )
      const { said } = await gatectl('config', 'get', 'upstreams')
      expect(said).not.toMatch(/root:|\/run\/credentials/)
      expect(said).not.toContain(PROVIDER_KEY)
      await gatectl('config', 'unset', 'upstreams.mine')
    }
  })
}
