import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import { cgroupRoot } from './rootfs.ts'

/** Prefix of the cgroups of labs; the rest names the owner, so that a lab of a dead owner can be recognised. */
const PREFIX = 'gate-testlab-'

/** Makes the cgroup of one lab of this process. @returns its path */
export function makeCgroup(name: string): string {
  const cgroup = join(cgroupHome(), `${PREFIX}${process.pid}-${startTime(process.pid)}-${name}`)
  mkdirSync(cgroup)
  return cgroup
}

/** A test run that was killed takes its labs' processes with it (pdeathsig in boot.sh) but leaves their cgroups. */
export async function removeStaleCgroups(): Promise<void> {
  for (const entry of readdirSync(cgroupHome())) {
    const owner = new RegExp(`^${PREFIX}(\\d+)-(\\d+)-`).exec(entry)
    if (owner === null || startTime(Number(owner[1])) === owner[2]) continue
    await removeCgroup(join(cgroupHome(), entry))
  }
}

/** Removes the cgroup of a lab whose processes have been killed. */
export async function removeCgroup(cgroup: string): Promise<void> {
  for (let tries = 0; tries < 100 && !tryRemoveTree(cgroup); tries++) {
    await new Promise((resolve) => setTimeout(resolve, 20)) // the kernel is still burying the processes
  }
}

/** Removes a cgroup and those below it; their files go with them. @returns whether it is gone */
function tryRemoveTree(cgroup: string): boolean {
  try {
    const below = readdirSync(cgroup, { withFileTypes: true }).filter((entry) => entry.isDirectory())
    for (const entry of below) tryRemoveTree(join(cgroup, entry.name))
    rmdirSync(cgroup)
  } catch {
    // it is still in use, or the lab beside this one has removed it, or a part of it, at the same time
  }
  return !existsSync(cgroup)
}

function cgroupHome(): string {
  const root = cgroupRoot()
  if (root === undefined) throw new Error('no cgroup 2 file system')
  return root
}

/**
 * Start time of a living process in clock ticks since boot; with the pid it names a process for good.
 * @see proc_pid_stat(5): after the name in parentheses come the state (field 3) and, in time, starttime (field 22)
 */
function startTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' ? undefined : fields[19]
  } catch {
    return undefined
  }
}
