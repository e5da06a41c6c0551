import { expect, test } from 'vitest'
import { endAccount } from '../../../host/apply/end-account.ts'
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
      jobs.includes(path) ? { kind: 'file', uid: 40_000, mode: 0o600, target: undefined, modifiedMs: 0 } : undefined,
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
