import { expect, test } from 'vitest'
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
