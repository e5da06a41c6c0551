import { readdir, readlink } from 'node:fs/promises'
import { type Holder, PORT_TABLES, parseSockets } from '../../../system/proc-net.ts'
import { textOf } from '../look.ts'

/** A process that holds a socket. */
export type SocketOwner = {
  readonly pid: number
  readonly program: string
  /** Unit of systemd that it runs in; "" for none. */
  readonly unit: string
}

export async function readListeners(): Promise<Holder[]> {
  const tables = await Promise.all(
    PORT_TABLES.map(async ({ file, protocol }) => parseSockets(await textOf(file), protocol)),
  )
  return tables.flat()
}

/** Inode -> its owner, for these sockets only. Sockets of other users' processes are found by root only. */
export async function readSocketOwners(inodes: ReadonlySet<string>): Promise<ReadonlyMap<string, SocketOwner>> {
  const owners = new Map<string, SocketOwner>()
  if (inodes.size === 0) return owners
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  for (const pid of pids) {
    for (const inode of await socketsOf(pid)) {
      if (!inodes.has(inode)) continue
      const [program, cgroup] = await Promise.all([textOf(`/proc/${pid}/comm`), textOf(`/proc/${pid}/cgroup`)])
      // systemd passes its sockets on: the program that serves them says more than systemd, or a child of it that is
      // about to run another program
      if (owners.has(inode) && /^(?:systemd\s*$|\()/.test(program)) continue
      owners.set(inode, { pid: Number(pid), program: program.trim(), unit: unitOf(cgroup) })
    }
  }
  return owners
}

async function socketsOf(pid: string): Promise<string[]> {
  try {
    const links = (await readdir(`/proc/${pid}/fd`)).map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => ''))
    return (await Promise.all(links)).flatMap((target) => /^socket:\[(\d+)\]$/.exec(target)?.[1] ?? [])
  } catch {
    return [] // of another user, or gone
  }
}

/** The innermost unit of a path such as `0::/user.slice/user-1000.slice/user@1000.service/app.slice/x.service`. */
export function unitOf(cgroup: string): string {
  const path = /^0::(.*)$/m.exec(cgroup)?.[1] ?? ''
  return path.split('/').findLast((part) => /\.(?:service|scope|socket)$/.test(part)) ?? ''
}
