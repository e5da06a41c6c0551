import { createServer, type Server } from 'node:http'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { addressList } from '../../../../daemon/admit/address.ts'
import type { People, Seen } from '../../../../daemon/auth/ambient/people.ts'
import { createProxyIdentity, type ProxySettings } from '../../../../daemon/auth/ambient/proxy-identity.ts'
import { type AskWhois, createTailscaleIdentity } from '../../../../daemon/auth/ambient/tailscale-identity.ts'
import { ANYBODY } from '../../../../daemon/auth/principal.ts'
import { askSocket } from '../../../../system/ask-socket.ts'
import { temporaryDirectory } from '../../../support/temporary-directory.ts'

let seen: Seen[] = []
const people: People = {
  seen(one) {
    seen.push(one)
    return { ...ANYBODY, name: one.name }
  },
}
beforeEach(() => {
  seen = []
})

describe('a proxy that signs people in', () => {
  const settings: ProxySettings = {
    from: ['10.0.0.9', '2001:db8::9', '0.0.0.0/1'],
    user_header: 'x-forwarded-user',
    email_header: 'x-forwarded-email',
    groups_header: 'x-forwarded-groups',
    roles: [
      { group: 'ops', role: 'admin' },
      { group: 'staff', role: 'member' },
      { group: 'guests', role: 'viewer' },
    ],
  }
  const find = (headers: Record<string, string>, peer: string | null, own: Partial<ProxySettings> = {}) =>
    createProxyIdentity({ ...settings, ...own }, addressList, people).find(headers, peer)
  const ada = { 'x-forwarded-user': 'ada' }

  test.each([
    { peer: '10.0.0.9', from: ['10.0.0.9'], isBelieved: true },
    { peer: '10.0.0.8', from: ['10.0.0.9'], isBelieved: false },
    { peer: '2001:db8::9', from: ['2001:db8::9'], isBelieved: true },
    { peer: '10.0.0.9', from: [], isBelieved: false },
    { peer: null, from: ['0.0.0.0/0', '::/0', '127.0.0.1'], isBelieved: false },
    { peer: '127.0.0.1', from: ['0.0.0.0/0', '::/0'], isBelieved: false },
    { peer: '::1', from: ['0.0.0.0/0', '::/0'], isBelieved: false },
    { peer: '::ffff:127.0.0.1', from: ['0.0.0.0/0', '::/0'], isBelieved: false },
    { peer: '127.0.0.1', from: ['127.0.0.1'], isBelieved: true },
    { peer: '', from: ['0.0.0.0/0'], isBelieved: false },
  ])('at $peer with $from: $isBelieved', ({ peer, from, isBelieved }) => {
    expect(find(ada, peer, { from })?.name).toBe(isBelieved ? 'ada' : undefined)
  })

  test.each([
    { groups: 'staff,ops', role: 'admin' },
    { groups: ' guests , staff', role: 'member' },
    { groups: 'guests', role: 'viewer' },
    { groups: 'others', role: 'member' },
    { groups: 'opsx', role: 'member' },
  ])('the groups "$groups" make a $role', ({ groups, role }) => {
    find({ ...ada, 'x-forwarded-groups': groups }, '10.0.0.9')
    expect(seen).toMatchObject([{ role, isRoleKept: false }])
  })

  test('names are read as UTF-8, and no other header counts', () => {
    const name = Buffer.from('zoë').toString('latin1')
    find({ 'x-forwarded-user': name, 'x-forwarded-email': 'z@example.org', 'remote-user': 'root' }, '10.0.0.9')
    expect(seen).toMatchObject([{ name: 'zoë', subject: 'zoë', email: 'z@example.org' }])
    expect(find({ 'remote-user': 'root' }, '10.0.0.9')).toBeNull()
  })

  test.each(['ada, root', 'a\tb', 'x'.repeat(201)])('refuses the name %j', (name) => {
    expect(() => find({ 'x-forwarded-user': name }, '10.0.0.9')).toThrow('does not name one user')
  })
})

describe('Tailscale', () => {
  let place: ReturnType<typeof temporaryDirectory>
  let server: Server
  let asked: string[] = []
  let answers: Record<string, object> = {}
  let time = 0
  beforeEach(async () => {
    place = temporaryDirectory()
    asked = []
    time = 0
    server = createServer((request, response) => {
      const address = new URL(request.url ?? '', 'http://x').searchParams.get('addr') ?? ''
      asked.push(`${request.headers.host} ${address}`)
      const answer = answers[address]
      response.statusCode = answer === undefined ? 404 : 200
      response.end(JSON.stringify(answer ?? 'no match'))
    })
    await new Promise<void>((resolve) => server.listen(place.file('tailscaled.sock'), resolve))
  })
  afterEach(async () => {
    await new Promise((resolve) => server.close(resolve))
    place.remove()
  })

  const ask: AskWhois = async (address, signal) => {
    const path = `/localapi/v0/whois?addr=${address}:1`
    const { status, text } = await askSocket({ socketPath: place.file('tailscaled.sock'), host: 'local', path }, signal)
    return status === 404 ? undefined : JSON.parse(text)
  }
  const identity = (tailnets = ['tail1234.ts.net'], asks = ask) =>
    createTailscaleIdentity(
      { tailnets, ask: asks, people },
      () => time,
      () => {},
    )
  const machine = (name: string, more: object = {}) => ({
    Node: { Name: name, ...more },
    UserProfile: { ID: 7, LoginName: 'ada@example.org', DisplayName: 'Ada' },
  })

  test('says who has an address, is asked once a minute, and by no address of another network', async () => {
    answers = { '100.64.0.9:1': machine('laptop.tail1234.ts.net.') }
    const each = identity()
    expect((await each.find('100.64.0.9'))?.name).toBe('ada@example.org')
    for (let i = 0; i < 5; i++) expect(each.find('100.64.0.9')).toMatchObject({ name: 'ada@example.org' })
    expect(asked).toEqual(['local 100.64.0.9:1'])
    time = 60_001
    await each.find('100.64.0.9')
    expect(asked).toHaveLength(2)
    expect(seen[0]).toMatchObject({ subject: 'tail1234.ts.net/7', role: 'member', email: 'ada@example.org' })
    for (const peer of ['192.0.2.1', '127.0.0.1', '100.128.0.1', '100.63.0.1', '', null])
      expect(each.find(peer)).toBeNull()
    expect(asked).toHaveLength(2)
  })

  test.each([
    { name: 'a machine of another tailnet', answer: machine('laptop.other.ts.net.') },
    { name: 'a machine of a tailnet whose name only ends the same', answer: machine('laptop.xtail1234.ts.net.') },
    { name: 'a machine with tags', answer: machine('ci.tail1234.ts.net.', { Tags: ['tag:ci'] }) },
    { name: 'an answer of another form', answer: { Node: {} } },
  ])('$name is nobody', async ({ answer }) => {
    answers = { '100.64.0.9:1': answer }
    expect(await identity().find('100.64.0.9')).toBeNull()
    expect(seen).toEqual([])
  })

  test('many that come at once are asked for once each, some at a time', async () => {
    answers = { '100.64.0.9:1': machine('laptop.tail1234.ts.net.') }
    const each = identity()
    await Promise.all(Array.from({ length: 100 }, () => each.find('100.64.0.9')))
    expect(asked).toHaveLength(1)
    const all = Array.from({ length: 40 }, (_, i) => `100.64.1.${i}`).map(async (peer) => each.find(peer))
    const settled = await Promise.allSettled(all)
    expect(settled.filter(({ status }) => status === 'rejected')).toHaveLength(24)
  })

  test('that does not answer is an error for the moment, and says so once', async () => {
    const each = identity(undefined, () => Promise.reject(new Error('ENOENT')))
    await expect(each.find('100.64.0.9')).rejects.toThrow('send a key')
    expect(await identity([]).find('100.64.0.9')).toBeNull()
  })
})
