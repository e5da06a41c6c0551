import { expect, test, vi } from 'vitest'
import { hasTerminals } from '../../support/programs.ts'
import type { Host } from '../deploy.ts'
import { terminal } from '../terminal.ts'
import { inDaemon } from './in-daemon.ts'

const SHELL_OF_OWN = '/run/gate/shells/own/shell.sock'

/** Who opens shells: admins, and no one else. The machine has the backends `own`, which runs, and `other`. */
export function shellAttacks(host: () => Host): void {
  const line = (backend: string) =>
    `{"op":"shell","backend":"${backend}","into":"container","rows":24,"columns":80}\n{"op":"status"}\n`
  const curl = (socket: string) => ['curl', '-sS', '--max-time', '3', '--unix-socket', socket, 'telnet://localhost']
  /** What a socket answers, line by line. */
  const asked = async (socket: string, backend: string, user = 'root') => {
    const { code, stdout } = await host().exec(curl(socket), { user, input: line(backend) })
    return {
      code,
      answers: stdout
        .split('\n')
        .filter(Boolean)
        .map((answer) => JSON.parse(answer)),
    }
  }
  const journal = () => host().run(['journalctl', '--no-pager', '--output=cat', '--identifier=gate-shell'])

  test('code in the daemon opens no shell: no agent knows of any, and their socket lets it not in', async () => {
    const script = `printf '%s' '${line('own')}' | ${curl('/run/gate/backends/own/agent.sock').join(' ')}`
    const agent = await inDaemon(host(), ['sh', '-c', script])
    const answers = agent.stdout
      .split('\n')
      .filter(Boolean)
      .map((answer) => JSON.parse(answer))
    expect(answers).toMatchObject([{ code: 'UNKNOWN_OP' }, { type: 'unit', active: 'active' }, { type: 'done' }])
    expect(await inDaemon(host(), curl(SHELL_OF_OWN))).toMatchObject({ code: 7, stdout: '' })
  })

  test('the account of the gateway opens no shell even as a member of gate-admin, which apply and doctor undo', async () => {
    await host().run(['gpasswd', '--add', 'gate', 'gate-admin'])
    expect((await asked(SHELL_OF_OWN, 'own', 'gate')).answers).toMatchObject([
      { code: 'PEER_REFUSED', message: 'no shell: gate opens no shells, whatever groups it is in' },
    ])
    const { stdout } = await host().exec(['gatectl', 'doctor', '--only', 'users'], { timeoutMs: 60_000 })
    expect(stdout).toContain('gate is a member of the group gate-admin')
    await host().run(['gatectl', 'apply', '--yes'], { timeoutMs: 120_000 })
    expect(await host().run(['id', '--groups', '--name', 'gate'])).not.toContain('gate-admin')
  })

  test('the account of a backend opens no shell in another, and leads no admin there', async () => {
    expect(await asked('/run/gate/shells/other/shell.sock', 'other', 'gate-own')).toMatchObject({ code: 7 })
    expect((await asked(SHELL_OF_OWN, 'own', 'gate-own')).answers).toMatchObject([{ code: 'PEER_REFUSED' }])
    const own = (command: string) =>
      host().run(['sh', '-c', `cd /run/gate/shells/own; ${command}`], { user: 'gate-own' })
    await own('mv shell.sock away; ln -s ../other/shell.sock shell.sock')
    expect((await asked(SHELL_OF_OWN, 'own')).answers).toMatchObject([{ code: 'NOT_ALLOWED' }])
    if (hasTerminals) {
      const led = terminal(host(), 'gatectl backend shell own')
      await led.shows('is not a socket: its account may lead a shell elsewhere')
      await led.shows('code 1')
      await led.ended
    }
    await own('mv away shell.sock')
    expect((await asked('/run/gate/shells/other/shell.sock', 'other')).answers).toMatchObject([{ code: 'NOT_RUNNING' }])
  })

  test.skipIf(!hasTerminals)(
    'an admin opens one, by a new login or by sg; the journal names the person (needs node-pty)',
    async () => {
      await host().run(['useradd', 'alice'])
      await host().run(['gpasswd', '--add', 'alice', 'gate-admin'])
      const uid = (await host().run(['id', '--user', 'alice'])).trim()
      const old = ['setpriv', '--reuid=alice', '--regid=alice', '--clear-groups'] // logged in before
      const denied = terminal(host(), 'gatectl backend shell own', old)
      await denied.shows('permission denied')
      await denied.ended
      const newLogin = { command: 'gatectl backend shell own', as: ['runuser', '-u', 'alice', '--'] }
      const bySg = { command: "sg gate-admin -c 'gatectl backend shell own'", as: old }
      for (const { command, as } of [newLogin, bySg]) {
        const shell = terminal(host(), command, as)
        await shell.shows('$ ')
        shell.type('echo "in-$((40+2))"; exit 3\r')
        await shell.shows('in-42')
        await shell.shows('code 3')
        await shell.ended
      }
      await vi.waitUntil(async () => (await journal()).split('shell of alice').length === 3, { timeout: 30_000 })
      expect(await journal()).toContain(`shell opened by alice (user ${uid})\n`)
    },
  )
}
