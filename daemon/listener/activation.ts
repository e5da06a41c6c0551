/**
 * File descriptors that systemd opened for this process.
 * @see https://www.freedesktop.org/software/systemd/man/latest/sd_listen_fds.html
 */
type Activation = {
  /** Listening sockets of the gateway, in the order of the socket unit. */
  readonly gateway: readonly number[]
  /** Listening sockets for TLS. */
  readonly https: readonly number[]
  /** Listening sockets for redirects and HTTP-01 challenges. */
  readonly http: readonly number[]
  /** Listening sockets for nodes and peers. */
  readonly p2p: readonly number[]
  /** Listening sockets of the admin API. */
  readonly admin: readonly number[]
  /** Connected datagram socket to systemd (`OpenFile=/run/systemd/notify:notify`). */
  readonly notify: number | undefined
  /** Names that mean nothing here; the caller should say so. */
  readonly unknown: readonly string[]
}

const FIRST_FD = 3
/** More than any unit would pass; guards the loop against a nonsense LISTEN_FDS. */
const MAX_FDS = 64

/**
 * Takes over the descriptors that systemd passed to process `pid`, and removes LISTEN_* from `env` so that
 * children do not think they were meant. Descriptors for another process are not ours to use.
 */
export function takeActivation(env: NodeJS.ProcessEnv, pid: number): Activation {
  const { LISTEN_PID: owner, LISTEN_FDS: count, LISTEN_FDNAMES: names = '' } = env
  for (const name of ['LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES', 'LISTEN_PIDFDID']) delete env[name]
  const total = owner === String(pid) ? Number(count) : 0
  const fds = Number.isInteger(total) && total > 0 && total <= MAX_FDS ? total : 0
  const named = Array.from({ length: fds }, (_, i) => ({ fd: FIRST_FD + i, name: names.split(':')[i] || 'unknown' }))
  const withRole = (role: Role) => named.filter(({ name }) => roleOf(name) === role).map(({ fd }) => fd)
  return {
    gateway: withRole('gateway'),
    https: withRole('https'),
    http: withRole('http'),
    p2p: withRole('p2p'),
    admin: withRole('admin'),
    notify: withRole('notify')[0],
    unknown: named.filter(({ name }) => roleOf(name) === 'none').map(({ name }) => name),
  }
}

type Role = 'gateway' | 'https' | 'http' | 'p2p' | 'admin' | 'notify' | 'none'

// Without FileDescriptorName= systemd uses the socket unit's name, and systemd-socket-activate says "unknown".
function roleOf(name: string): Role {
  if (name === 'gateway' || name === 'unknown') return 'gateway'
  if (name === 'https' || name.endsWith('-https.socket')) return 'https'
  if (name === 'http' || name.endsWith('-http.socket')) return 'http'
  if (name === 'p2p' || name.endsWith('-p2p.socket')) return 'p2p'
  if (name === 'admin' || name.endsWith('-admin.socket')) return 'admin'
  if (name.endsWith('.socket')) return 'gateway'
  return name === 'notify' ? 'notify' : 'none'
}
