import { expect, test } from 'vitest'
import { endAccount, removeLeavings } from '../../../host/apply/end-account.ts'
import type { Host } from '../../../host/host.ts'

const ACCOUNT = { name: 'gate-one', uid: 40_000, gid: 40_000, home: '/home', shell: '/usr/sbin/nologin' }
const CRONTAB = '/var/spool/cron/crontabs/gate-one'

test('a process that makes its crontab again has none when it has ended', async () => {
  let jobs: string[] = [CRONTAB]
  let runs = true
  const host: Partial<Host> = {
    list: (path) => (path === '/proc' && runs ? ['7'] : []),
    read: () => 'State:\tS\nUid:\t40000\t40000\t40000\t40000\n',
    status: (path) =>
      jobs.includes(path)
        ? { kind: 'file', uid: 40_000, mode: 0o600, gid: 0, links: 1, target: undefined, modifiedMs: 0, changedMs: 0 }
        : undefined,
    remove: (path) => {
      jobs = runs ? [CRONTAB] : jobs.filter((job) => job !== path)
    },
    run: async () => {
      runs = false
      return { code: 0, stdout: '', stderr: '' }
    },
  }
  await endAccount(host as Host, ACCOUNT, [])
  expect({ jobs, runs }).toEqual({ jobs: [], runs: false })
})

test('a process of another user with one of the subordinate ids goes on', async () => {
  const uids = new Map([
    ['7', 2_000_224_300], // of the container
    ['8', 2_000_224_301], // of a directory service
  ])
  const host: Partial<Host> = {
    list: (path) => (path === '/proc' ? [...uids.keys()] : []),
    read: (path) => {
      const uid = uids.get(path.split('/')[2] ?? '')
      return `State:\tS\nUid:\t${uid}\t${uid}\t${uid}\t${uid}\n`
    },
    status: () => undefined,
    ask: async (command) => ({ code: command.includes('2000224301') ? 0 : 2, stdout: '', stderr: '' }),
    run: async (command) => {
      for (const [pid, uid] of uids) if (command.includes(`--reuid=${uid}`)) uids.delete(pid)
      return { code: 0, stdout: '', stderr: '' }
    },
  }
  await endAccount(host as Host, ACCOUNT, [{ owner: 'gate-one', start: 2_000_224_256, count: 65_536 }])
  expect([...uids.keys()]).toEqual(['8'])
})

test('an object of System V goes with who made or owns it, not with a user of another program', async () => {
  const rows = [
    '0 10 600 100 7 7 0 40001 0 0 0', // of the account
    '0 11 600 100 7 7 0 2000224300 2000224300 0 0', // of its container
    '0 12 600 100 7 7 0 2000224301 2000224301 0 0', // of a directory service
    '0 13 600 100 7 7 0 1000 1000 0 0', // of a person
    '0 14 600 100 7 7 0 1000 40001 0 0', // given to a person
  ]
  const ran: string[] = []
  const host: Partial<Host> = {
    status: () => undefined,
    remove: () => {},
    read: (path) =>
      path === '/proc/sysvipc/shm'
        ? ['key shmid perms size cpid lpid nattch uid cuid gid cgid', ...rows].join('\n')
        : undefined,
    ask: async (command) => ({ code: command.includes('2000224301') ? 0 : 2, stdout: '', stderr: '' }),
    run: async (command) => {
      ran.push(command.join(' '))
      return { code: 0, stdout: '', stderr: '' }
    },
  }
  await removeLeavings(host as Host, { ...ACCOUNT, uid: 40_001 }, [
    { owner: ACCOUNT.name, start: 2_000_224_256, count: 65_536 },
  ])
  expect(ran).toEqual(['ipcrm --shmem-id 10 --shmem-id 11 --shmem-id 14'])
})
