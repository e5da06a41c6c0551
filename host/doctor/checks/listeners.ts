import { readdir, readlink } from 'node:fs/promises'
import { textOf } from '../look.ts'

/** A port that somebody listens on, from the kernel's tables; no program of the host is needed. */
export type Holder = {
  readonly protocol: 'tcp' | 'udp'
  readonly address: string
  readonly port: number
  readonly uid: number
  readonly inode: string
}

/** A process that holds a socket. */
export type SocketOwner = {
  readonly pid: number
  readonly program: string
  /** Unit of systemd that it runs in; "" for none. */
  readonly unit: string
}

const TABLES = [
  { file: '/proc/net/tcp', protocol: 'tcp' },
  { file: '/proc/net/tcp6', protocol: 'tcp' },
  { file: '/proc/net/udp', protocol: 'udp' },
  { file: '/proc/net/udp6', protocol: 'udp' },
] as const

export async function readListeners(): Promise<Holder[]> {
  const tables = await Promise.all(TABLES.map(async ({ file, protocol }) => parseSockets(await textOf(file), protocol)))
  return tables.flat()
}

/** States of net/tcp_states.h: a TCP socket listens (LISTEN), a UDP socket waits for anybody (CLOSE). */
const LISTENS = { tcp: '0A', udp: '07' }

/** @see proc_pid_net(5): local address and port in hexadecimal (field 2), state (4), uid (8), inode (10) */
export function parseSockets(text: string, protocol: 'tcp' | 'udp'): Holder[] {
  return text
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .flatMap(([, local = '', , state, , , , uid, , inode = '']) => {
      const [address = '', port = ''] = local.split(':')
      if (state !== LISTENS[protocol]) return []
      return [{ protocol, address: addressText(address), port: Number.parseInt(port, 16), uid: Number(uid), inode }]
    })
}

/** The kernel prints 32-bit words of the address as numbers of this machine: on little-endian ones each is reversed. */
function addressText(hex: string): string {
  const words = hex.match(/.{8}/g) ?? []
  const bytes = words.flatMap((word) => (word.match(/../g) ?? []).reverse())
  if (bytes.length === 4) return bytes.map((byte) => Number.parseInt(byte, 16)).join('.')
  const groups = (bytes.join('').match(/.{4}/g) ?? []).map((group) => Number.parseInt(group, 16).toString(16))
  return groups.every((group) => group === '0') ? '::' : groups.join(':').replace(/(^|:)0(:0)+(:|$)/, '::')
}

/** Inode -> its owner, for these sockets only. Sockets of other users' processes are found by root only. */
export async function readSocketOwners(inodes: ReadonlySet<string>): Promise<ReadonlyMap<string, SocketOwner>> {
  const owners = new Map<string, SocketOwner>()
  if (inodes.size === 0) return owners
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  for (const pid of pids) {
    for (const inode of await socketsOf(pid)) {
      // systemd passes its sockets on: whoever serves them says more than systemd
      if (!inodes.has(inode) || (owners.has(inode) && pid === '1')) continue
      const [program, cgroup] = await Promise.all([textOf(`/proc/${pid}/comm`), textOf(`/proc/${pid}/cgroup`)])
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
