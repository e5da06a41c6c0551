import { describe, expect, onTestFinished, test } from 'vitest'
import { readInvitation, writeInvitation } from '../../../ctl/commands/peer/invitation.ts'
import { startAdminDaemon } from '../../support/admin-daemon.ts'
import { gatectl } from '../../support/gatectl.ts'
import { NODE_ID } from '../../support/relay-status.ts'

const INVITATION = { node: NODE_ID, key: 'gate_canary', addresses: ['192.0.2.1:41147'], relays: [] }

async function ctl(args: string, stdin = '') {
  const daemon = await startAdminDaemon()
  try {
    return await gatectl(args.split(' '), { stdin, env: { GATE_ADMIN_SOCKET: daemon.socketPath } })
  } finally {
    await daemon.stop()
  }
}

test('an invitation is read as it was written', () => {
  expect(readInvitation(`${writeInvitation(INVITATION)}\n`)).toEqual(INVITATION)
})

test.each(['', 'gate-peer1.', 'gate-peer1.canary', writeInvitation(INVITATION).replace('gate-peer1', 'gate-peer9')])(
  'what is no invitation is refused and not quoted (%#)',
  async (stdin) => {
    const { stderr, code } = await ctl('peer accept home', stdin)
    expect(code).toBe(2)
    expect(stderr).toMatch(/^gatectl: gatectl peer accept: that is not an invitation\n/)
    expect(stderr).not.toContain('canary')
  },
)

test('peer list says what this gateway is known by', async () => {
  const { stdout } = await ctl('peer list')
  expect(stdout).toBe(`node ${NODE_ID}\nno peer can connect directly yet\n\nthere are no peers\n`)
})

test('a peer that is not there cannot be removed', async () => {
  const { stderr, code } = await ctl('peer remove nobody')
  expect(code).toBe(2)
  expect(stderr).toContain('there is no peer "nobody"')
})

const [OTHER, THIRD] = ['b'.repeat(32), 'c'.repeat(32)]
const PLACE = '192.0.2.1:41147'
const invitationOf = (change: object = {}) => writeInvitation({ ...INVITATION, node: OTHER, ...change })

async function started() {
  const daemon = await startAdminDaemon()
  onTestFinished(() => daemon.stop())
  const run = (args: string, stdin = '') =>
    gatectl(args.split(' '), { stdin, env: { GATE_ADMIN_SOCKET: daemon.socketPath } })
  const keys = () =>
    daemon.access.tokens.list().filter(({ name, revokedAt }) => name.startsWith('peer ') && revokedAt === null)
  return { ...daemon, run, keys }
}

describe('peer accept', () => {
  test('adds the gateway and its upstream', async () => {
    const { run, config } = await started()
    const { stdout, stderr, code } = await run('peer accept home', invitationOf({ invited: NODE_ID }))
    expect([stdout, stderr, code]).toEqual([`upstream home is gate://${OTHER}; its models are home/MODEL\n`, '', 0])
    expect(config.current().peers['home']).toEqual({ node: OTHER, addresses: [PLACE], relays: [] })
    expect(config.current().upstreams['home']).toMatchObject({ base_url: `gate://${OTHER}`, api_key: 'gate_canary' })
  })

  test('a newer invitation of the same gateway takes the place of the one before', async () => {
    const { run, config } = await started()
    await run('peer accept home', invitationOf())
    const { code } = await run('peer accept home', invitationOf({ key: 'gate_newer', addresses: ['192.0.2.2:1'] }))
    expect(code).toBe(0)
    expect(config.current().peers['home']?.addresses).toEqual(['192.0.2.2:1'])
    expect(config.current().upstreams['home']?.api_key).toBe('gate_newer')
    await run('peer accept home', invitationOf({ addresses: [] }))
    expect(config.current().peers['home']?.addresses).toEqual(['192.0.2.2:1'])
  })

  test.each([
    { what: 'an upstream of this name', name: 'openai', says: 'there is an upstream "openai" already' },
    {
      what: 'another gateway of this name',
      name: 'known',
      says: `there is a peer "known" already, with the node id ${THIRD}`,
    },
    { what: 'an invitation of its own', change: { node: NODE_ID }, says: 'from this gateway itself' },
    { what: 'an invitation for another gateway', change: { invited: THIRD }, says: `for the gateway ${THIRD}` },
    { what: 'an address that is none', change: { addresses: ['a b'] }, says: 'addresses' },
    { what: 'a name that is none', name: 'UPPER', says: 'lower-case' },
  ])('refuses $what, and changes nothing', async ({ name = 'home', change, says }) => {
    const { run, config } = await started()
    await run('peer accept known', invitationOf({ node: THIRD }))
    const before = config.current()
    const { stderr, code } = await run(`peer accept ${name}`, invitationOf(change))
    expect([code > 0, stderr]).toEqual([true, expect.stringContaining(says)])
    expect(stderr).not.toContain('canary')
    expect(config.current()).toEqual(before)
  })

  test('says so when nothing tells where the gateway is', async () => {
    const { run } = await started()
    const { stderr } = await run('peer accept home', invitationOf({ addresses: [] }))
    expect(stderr).toContain('gatectl config set peers.home.addresses')
  })
})

describe('peer invite', () => {
  test('a second invitation ends the key of the first', async () => {
    const { run, keys } = await started()
    const first = readInvitation((await run(`peer invite laptop ${OTHER} --address ${PLACE}`)).stdout)
    const { stdout, stderr } = await run(`peer invite laptop ${OTHER} --address ${PLACE}`)
    expect(readInvitation(stdout)).toEqual({ ...first, key: expect.not.stringMatching(first.key), invited: OTHER })
    expect([keys().length, stderr]).toEqual([1, expect.stringContaining('earlier invitation has ended')])
  })

  test.each([
    { what: 'its own id', args: `laptop ${NODE_ID}`, says: 'the node id of this gateway' },
    { what: 'another gateway under the name of one', args: `known ${OTHER}`, says: `with the node id ${THIRD}` },
    { what: 'an id that is none', args: 'laptop home', says: 'node id' },
    { what: 'a budget that is not there', args: `laptop ${OTHER} --budgets nosuch`, says: 'budget "nosuch"' },
    { what: 'a limit that is not there', args: `laptop ${OTHER} --limits nosuch`, says: 'limit "nosuch"' },
    { what: 'a name that is none', args: `UPPER ${OTHER}`, says: 'use at most 63 lower-case letters' },
  ])('refuses $what: no peer, and no key', async ({ args, says }) => {
    const { run, config, keys } = await started()
    await run('peer accept known', invitationOf({ node: THIRD }))
    const before = config.current()
    const { stderr, stdout, code } = await run(`peer invite ${args}`)
    expect([code > 0, stdout, stderr]).toEqual([true, '', expect.stringContaining(says)])
    expect([config.current(), keys()]).toEqual([before, []])
  })

  test('an invitation that says nowhere where the gateway is comes with a warning', async () => {
    const { run } = await started()
    const { stderr, stdout } = await run(`peer invite laptop ${OTHER}`)
    expect(readInvitation(stdout)).toMatchObject({ addresses: [], relays: [] })
    expect(stderr).toMatch(/^warning: the invitation says nowhere/)
  })
})
