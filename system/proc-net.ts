/** A port that is listened on, from the kernel's tables; no program of the host is needed. */
export type Holder = {
  readonly protocol: 'tcp' | 'udp'
  readonly address: string
  readonly port: number
  readonly uid: number
  readonly inode: string
}

/** The kernel's tables of ports. */
export const PORT_TABLES = [
  { file: '/proc/net/tcp', protocol: 'tcp' },
  { file: '/proc/net/tcp6', protocol: 'tcp' },
  { file: '/proc/net/udp', protocol: 'udp' },
  { file: '/proc/net/udp6', protocol: 'udp' },
] as const

/** States of net/tcp_states.h: a TCP socket listens (LISTEN), a UDP socket waits for any sender (CLOSE). */
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

/** Paths of Unix sockets that are listened on. @see proc_net_unix(5): flags 00010000 is __SO_ACCEPTCON */
export function parseListeningPaths(text: string): ReadonlySet<string> {
  return new Set(
    text.split('\n').flatMap((line) => {
      const [, , , flags, , , , path] = line.trim().split(/\s+/)
      return flags === '00010000' && path !== undefined ? [path] : []
    }),
  )
}
