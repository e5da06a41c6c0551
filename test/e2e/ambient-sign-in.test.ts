// People without a credential, whom a proxy has signed in.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Daemon, startDaemon } from '../support/daemon.ts'
import { hasProgram } from '../support/programs.ts'

const ADA = { 'x-forwarded-user': 'ada', 'x-forwarded-groups': 'ops', 'x-forwarded-email': 'ada@example.org' }

describe('headers of a proxy', () => {
  let trusting: Daemon
  let other: Daemon
  beforeAll(async () => {
    const roles = '[{"group":"ops","role":"admin"}]'
    trusting = await startDaemon({ GATE_AUTH__PROXY__FROM: '127.0.0.1', GATE_AUTH__PROXY__ROLES: roles })
    other = await startDaemon({ GATE_AUTH__PROXY__FROM: '0.0.0.0/0,::/0,10.0.0.9', GATE_AUTH__PROXY__ROLES: roles })
  })
  afterAll(async () => {
    await Promise.all([trusting.stop(), other.stop()])
    trusting.remove()
    other.remove()
  })
  const me = (daemon: Daemon, headers: Record<string, string>) => fetch(`${daemon.url}/auth/me`, { headers })

  test('name the person, who is made at the first sight of them, with the role of a group', async () => {
    expect(await (await me(trusting, ADA)).json()).toMatchObject({
      name: 'ada',
      via: 'proxy',
      user: { role: 'admin', email: 'ada@example.org' },
    })
    const later = await me(trusting, { ...ADA, 'x-forwarded-groups': 'others' })
    expect(await later.json()).toMatchObject({ user: { role: 'member' } })
  })

  test.each([
    { name: 'a peer that is not listed', headers: ADA },
    { name: 'a peer that says it is the proxy', headers: { ...ADA, 'x-forwarded-for': '10.0.0.9' } },
  ])('are nothing from $name', async ({ headers }) => {
    expect((await me(other, headers)).status).toBe(401)
  })

  test.skipIf(!hasProgram('curl'))(
    'do not act for a page of another site, nor under a name that is not the gateway (needs curl)',
    async () => {
      const change = {
        method: 'POST',
        headers: { ...ADA, origin: 'https://evil.example', 'content-type': 'application/json' },
      }
      expect((await fetch(`${trusting.url}/api/user/tokens`, { ...change, body: '{"name":"x"}' })).status).toBe(403)
      const rebound = spawnSync('curl', [
        '-s',
        '-o',
        '/dev/null',
        '-w',
        '%{http_code}',
        '-H',
        'Host: evil.example',
        '-H',
        'X-Forwarded-User: ada',
        `${trusting.url}/auth/me`,
      ])
      expect(rebound.stdout.toString()).toBe('421')
    },
  )
})

describe('the Tailscale of this host', () => {
  const TAILNET = 'tail1234.ts.net'
  /** Who has which address, as its local API answers. */
  const MACHINES: Readonly<Record<string, { name: string; login: string; tags?: readonly string[] }>> = {
    '100.64.0.1': { name: `laptop.${TAILNET}.`, login: 'ada@example.org' },
    '100.64.0.2': { name: `server.${TAILNET}.`, login: 'tagged-devices', tags: ['tag:server'] },
    '100.64.0.3': { name: 'laptop.other9999.ts.net.', login: 'eve@example.org' },
  }
  const folder = mkdtempSync(join(tmpdir(), 'gate-tailscale-'))
  const asked: string[] = []
  const local = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://local')
    const address = (searchParams.get('addr') ?? '').replace(/:1$/, '')
    asked.push(`${request.method} ${request.headers.host} ${pathname} ${address}`)
    const found = MACHINES[address]
    if (found === undefined) return response.writeHead(404).end('no match for IP:port')
    const { name, login, tags } = found
    const node = { ID: 1, Name: name, ...(tags !== undefined && { Tags: tags }), Addresses: [`${address}/32`] }
    response.writeHead(200, { 'content-type': 'application/json' })
    return response.end(
      JSON.stringify({ Node: node, UserProfile: { ID: 7, LoginName: login, DisplayName: login }, CapMap: {} }),
    )
  })
  let gate: Daemon
  beforeAll(async () => {
    const socketPath = join(folder, 'tailscaled.sock')
    await new Promise<void>((resolve) => local.listen(socketPath, resolve))
    gate = await startDaemon({
      GATE_TAILSCALE_SOCKET: socketPath,
      GATE_AUTH__TAILSCALE__TAILNETS: TAILNET,
      // peers of the tailnet, as a proxy of TCP says them
      GATE_SERVER__PROXY_PROTOCOL: 'true',
      GATE_SERVER__TRUSTED_PROXIES: '127.0.0.1',
    })
  })
  afterAll(async () => {
    await gate.stop()
    gate.remove()
    await new Promise((resolve) => local.close(resolve))
    rmSync(folder, { recursive: true })
  })

  function me(peer: string, host = 'localhost') {
    return new Promise<{ status: number; body: string }>((resolve, reject) => {
      const { hostname, port } = new URL(gate.url)
      const socket = connect({ host: hostname, port: Number(port) })
      let text = ''
      socket.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk
      })
      socket.once('error', reject)
      socket.once('close', () => {
        const [head = '', body = ''] = text.split('\r\n\r\n')
        resolve({ status: Number(head.split(' ')[1]), body })
      })
      const header = `PROXY TCP4 ${peer} 127.0.0.1 4711 ${port}\r\n`
      socket.write(`${header}GET /auth/me HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)
    })
  }

  test('names the people of a listed tailnet, whose machines have no tags, and is asked once a minute', async () => {
    const ada = await me('100.64.0.1')
    expect([ada.status, JSON.parse(ada.body)]).toEqual([
      200,
      expect.objectContaining({
        via: 'tailscale',
        user: expect.objectContaining({ name: 'ada@example.org', role: 'member' }),
      }),
    ])
    expect((await me('100.64.0.1', `laptop.${TAILNET}`)).status).toBe(200)
    expect(asked).toEqual(['GET local-tailscaled.sock /localapi/v0/whois 100.64.0.1'])
  })

  test.each([
    { title: 'a machine with tags', peer: '100.64.0.2', status: 401 },
    { title: 'a machine of another tailnet', peer: '100.64.0.3', status: 401 },
    { title: 'an address that no machine has', peer: '100.64.0.4', status: 401 },
    { title: 'an address of another network', peer: '192.0.2.1', status: 401 },
    { title: 'a page of another site', peer: '100.64.0.1', host: 'evil.example', status: 421 },
  ])('$title is no one: $status', async ({ peer, host, status }) => {
    expect((await me(peer, host)).status).toBe(status)
  })
})
