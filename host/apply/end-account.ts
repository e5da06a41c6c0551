import { setTimeout } from 'node:timers/promises'
import type { Account, SubidRange } from '../accounts.ts'
import type { Host } from '../host.ts'
import { jobsOf } from '../plan/planted.ts'
import { HostError } from '../problem.ts'

/** Ends what an account does, now and by cron(8) and at(1). Its manager is stopped. */
export async function endAccount(host: Host, account: Account, subuids: readonly SubidRange[]): Promise<void> {
  await endProcesses(host, account, subuids)
  // processes make jobs, and jobs start processes: the end is when there are neither
  for (let jobs = jobsOf(host, account); jobs.length > 0; jobs = jobsOf(host, account)) {
    for (const job of jobs) host.remove(job)
    await endProcesses(host, account, subuids)
  }
}

const ROUNDS = 40
const PAUSE_MS = 50
const NAMED = 5

/**
 * Ends every process of an account and of its subordinate ids, in whatever session or cgroup. Each round signals all
 * processes of one id at once, as that id: none can fork away meanwhile, and a process number that is used again is
 * never hit. @see kill(2) "pid equals -1"
 * @throws HostError PROGRAM_FAILED when some are still left after all rounds
 */
async function endProcesses(host: Host, account: Account, subuids: readonly SubidRange[]): Promise<void> {
  const others = new Map<number, boolean>()
  const look = async () => {
    const found = processesOf(host, account, subuids)
    for (const { uid } of found) if (!others.has(uid)) others.set(uid, await isOthers(host, account, uid))
    return found.filter(({ uid }) => others.get(uid) === false)
  }
  let left = await look()
  for (let round = 0; left.length > 0 && round < ROUNDS; round++) {
    for (const id of new Set(left.map(({ uid }) => uid)))
      await host.run(['setpriv', `--reuid=${id}`, `--regid=${id}`, '--clear-groups', 'sh', '-c', 'kill -KILL -1'])
    left = await look()
    if (left.length > 0) await setTimeout(PAUSE_MS)
  }
  if (left.length === 0) return
  const pids = left.slice(0, NAMED).map(({ pid }) => pid)
  const message = `${left.length} processes of ${account.name} do not end, such as ${pids.join(', ')}`
  const hint = `see what they wait for: ps -o pid,stat,wchan:32,args -p ${pids.join(',')}; then do it again`
  throw new HostError({ code: 'PROGRAM_FAILED', message, hint })
}

/**
 * Whether a name service knows a subordinate id as another user's: of a directory service, or of a machine of
 * systemd-nspawn. Neither looks into /etc/subuid.
 */
async function isOthers(host: Host, account: Account, uid: number): Promise<boolean> {
  return uid !== account.uid && (await host.ask(['getent', 'passwd', String(uid)])).code === 0
}

/** @see proc_pid_status(5) "Uid": real, effective, saved and of file systems */
function processesOf(host: Host, { name, uid }: Account, subuids: readonly SubidRange[]) {
  const ranges = subuids.filter(({ owner }) => owner === name)
  const isOwn = (id: number) => id === uid || ranges.some(({ start, count }) => start <= id && id < start + count)
  return host.list('/proc').flatMap((pid) => {
    if (!/^\d+$/.test(pid)) return []
    const status = statusText(host, pid)
    const state = /^State:\s+(\S)/m.exec(status)?.[1]
    const ids = /^Uid:\s+(.*)$/m.exec(status)?.[1] ?? ''
    const own = ids.split(/\s+/).map(Number).find(isOwn)
    return ids === '' || own === undefined || state === 'Z' ? [] : [{ pid, uid: own }]
  })
}

/** Empty for a process that ends while it is read. */
function statusText(host: Host, pid: string): string {
  try {
    return host.read(`/proc/${pid}/status`) ?? ''
  } catch (error) {
    if (error instanceof HostError) return ''
    throw error
  }
}

/** Places where any account may write, and what is there outlives it. */
const WRITABLE_BY_ALL = ['/tmp', '/var/tmp', '/dev/shm', '/dev/mqueue', '/run/lock']
const SYSTEM_V = [
  { kind: 'shm', column: 'shmid', option: '--shmem-id' },
  { kind: 'msg', column: 'msqid', option: '--queue-id' },
  { kind: 'sem', column: 'semid', option: '--semaphore-id' },
] as const

/**
 * Removes what an account leaves outside of its home, so that a later account with its id owns nothing of it. Its
 * processes have ended.
 */
export async function removeLeavings(host: Host, account: Account, subuids: readonly SubidRange[]): Promise<void> {
  const { name, uid } = account
  for (const mail of [`/var/mail/${name}`, `/var/spool/mail/${name}`]) host.remove(mail)
  const ranges = subuids.filter(({ owner }) => owner === name)
  const ids = [
    ['-uid', `${uid}`],
    ...ranges.map(({ start, count }) => ['(', '-uid', `+${start - 1}`, '-uid', `-${start + count}`, '-nouser', ')']),
  ]
  const anyOf = ids.flatMap((one, i) => (i === 0 ? one : ['-o', ...one]))
  const places = WRITABLE_BY_ALL.filter((path) => host.status(path)?.kind === 'directory')
  // a directory that holds files of others stays
  if (places.length > 0) await host.run(['find', ...places, '-xdev', '-depth', '(', ...anyOf, ')', '-delete'])
  const objects = await objectsOf(host, account, ranges)
  if (objects.length > 0) await host.run(['ipcrm', ...objects])
}

/** Objects of System V that an account or one of its subordinate ids has made or owns, as ipcrm(1) is told them. */
async function objectsOf(host: Host, account: Account, ranges: readonly SubidRange[]): Promise<string[]> {
  const isInRange = (id: number) =>
    id === account.uid || ranges.some(({ start, count }) => start <= id && id < start + count)
  const all = SYSTEM_V.flatMap(({ kind, column, option }) => {
    const [header = '', ...lines] = (host.read(`/proc/sysvipc/${kind}`) ?? '').trim().split('\n')
    const at = (word: string) => header.trim().split(/\s+/).indexOf(word)
    const rows = lines.map((line) => line.trim().split(/\s+/))
    return rows.map((row) => {
      const ids = [Number(row[at('uid')]), Number(row[at('cuid')])].filter(isInRange)
      return { ids, words: [option, row[at(column)] ?? ''] }
    })
  })
  const own = new Set<number>()
  for (const id of new Set(all.flatMap(({ ids }) => ids))) if (!(await isOthers(host, account, id))) own.add(id)
  return all.filter(({ ids }) => ids.some((id) => own.has(id))).flatMap(({ words }) => words)
}
