import { createHash } from 'node:crypto'
import type { Lock } from '../../schemas/deploy/lock.ts'
import { pathText, type SpecPath } from '../../schemas/spec/path.ts'
import type { Spec } from '../../schemas/spec/spec.ts'
import { ENGINE_TRAITS, listenOf } from '../catalog/engines.ts'
import type { Finding } from '../diagnostic.ts'

/** Numbers that the spec leaves open, chosen once and kept in gate.lock.json. */
export type Allocation = {
  readonly lock: Lock
  readonly userOf: (backend: string) => { readonly uid: number; readonly subuid: number }
  readonly portOf: (path: SpecPath) => number
  readonly findings: readonly Finding[]
}

export const SUBUID_COUNT = 65_536
/** Above people's accounts (useradd starts at 1000), below 60000 where systemd begins; see systemd's UIDS-GIDS.md. */
const FIRST_UID = 40_000
const LAST_UID = 59_999
/**
 * What nobody else takes: above useradd's (to 600100000), systemd-nspawn's (to 1879048191) and SSSD's (to 2000200000),
 * below systemd's foreign ids (from 2147352576) and IPA's subordinate ones. See docs/decisions.md, "subordinate ids".
 */
const FIRST_RANGE = 30_521
const LAST_RANGE = 32_765
/** Dynamic ports, RFC 6335 section 6. */
const FIRST_PORT = 49_152
const PORT_COUNT = 16_384

/**
 * Gives every backend a user id and a range of subordinate ids, and every "random" port a number. What the lock says
 * stays, whatever is added or removed; new backends are served in the order of their names.
 * @param seed makes the random ports of this host differ from another's
 */
export function allocate(spec: Spec, lock: Lock, seed: string): Allocation {
  const findings: Finding[] = []
  const users = allocateUsers(spec, lock, findings)
  const ports = allocatePorts(spec, lock, seed, findings)
  return {
    lock: { version: 1, users: sorted(users), ports: sorted(ports), retired: lock.retired },
    userOf: (backend) => users.get(backend) ?? { uid: 0, subuid: 0 },
    portOf: (path) => ports.get(pathText(path)) ?? 0,
    findings,
  }
}

type LockedUser = Lock['users'][string]

function allocateUsers(spec: Spec, lock: Lock, findings: Finding[]): Map<string, LockedUser> {
  const users = new Map(Object.entries(lock.users))
  const fixed = Object.values(spec.backends).flatMap(({ uid }) => uid ?? [])
  const given = [...users.values(), ...lock.retired]
  const takenUids = new Set([...fixed, ...given.map(({ uid }) => uid)])
  const takenRanges = new Set(given.map(({ subuid }) => Math.floor(subuid / SUBUID_COUNT)))
  let nextUid = FIRST_UID
  let nextRange = FIRST_RANGE
  for (const name of Object.keys(spec.backends).sort()) {
    const uid = spec.backends[name]?.uid
    const known = users.get(name)
    if (known !== undefined) {
      if (uid !== undefined) users.set(name, { ...known, uid })
      continue
    }
    while (uid === undefined && takenUids.has(nextUid)) nextUid++
    while (takenRanges.has(nextRange)) nextRange++
    if (nextUid > LAST_UID) {
      const message = `no user id is free between ${FIRST_UID} and ${LAST_UID}`
      findings.push({ code: 'ALLOCATION_EXHAUSTED', path: ['backends', name], part: 'key', message, hint: 'set uid' })
      return users
    }
    if (nextRange > LAST_RANGE) {
      const message = `no range of subordinate ids is free between ${FIRST_RANGE * SUBUID_COUNT} and ${(LAST_RANGE + 1) * SUBUID_COUNT - 1}`
      const hint = 'take backends that are gone out of gate.lock.json'
      findings.push({ code: 'ALLOCATION_EXHAUSTED', path: ['backends', name], part: 'key', message, hint })
      return users
    }
    users.set(name, { uid: uid ?? nextUid, subuid: nextRange * SUBUID_COUNT })
    takenUids.add(uid ?? nextUid)
    takenRanges.add(nextRange)
  }
  return users
}

function allocatePorts(spec: Spec, lock: Lock, seed: string, findings: Finding[]): Map<string, number> {
  const wanted = randomPorts(spec)
  const written = new Set(wanted.fixed)
  const ports = new Map(Object.entries(lock.ports))
  const taken = new Set([...written, ...ports.values()])
  for (const path of wanted.random) {
    const key = pathText(path)
    if (ports.has(key)) continue
    const start = createHash('sha256').update(`${seed}\0${key}`).digest().readUInt32BE(0) % PORT_COUNT
    let step = 0
    while (step < PORT_COUNT && taken.has(FIRST_PORT + ((start + step) % PORT_COUNT))) step++
    if (step === PORT_COUNT) {
      const message = `no port is free from ${FIRST_PORT} on`
      findings.push({ code: 'ALLOCATION_EXHAUSTED', path, message, hint: 'write port numbers, or use Unix sockets' })
      return ports
    }
    const port = FIRST_PORT + ((start + step) % PORT_COUNT)
    ports.set(key, port)
    taken.add(port)
  }
  return ports
}

/** Ports that are to be chosen, and those that are written and therefore taken. */
function randomPorts(spec: Spec): { random: SpecPath[]; fixed: number[] } {
  const { server } = spec.gate
  const all: { path: SpecPath; port: number | 'random' | undefined }[] = [
    { path: ['gate', 'server', 'port'], port: server.port },
    { path: ['gate', 'server', 'p2p_port'], port: server.p2p_port },
    ...Object.entries(spec.backends)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .filter(([name]) => isPublished(spec, name))
      .map(([name, { port }]) => ({ path: ['backends', name, 'port'], port })),
    ...Object.entries(spec.relays).flatMap(([name, relay]) => [
      { path: ['relays', name, 'https_port'], port: relay.https_port },
      { path: ['relays', name, 'p2p_port'], port: relay.p2p_port },
    ]),
  ]
  return {
    random: all.filter(({ port }) => typeof port !== 'number').map(({ path }) => path),
    fixed: all.flatMap(({ port }) => (typeof port === 'number' ? [port] : [])),
  }
}

/**
 * Whether a port of the host leads to a backend: the spec asks for one, another backend or the proxy needs it, or it is
 * an app, which has no other way in. The gateway itself never uses it.
 */
export function isPublished({ backends }: Spec, name: string): boolean {
  const backend = Object.hasOwn(backends, name) ? backends[name] : undefined
  if (backend === undefined || listenOf(backend) !== 'tcp') return false
  return (
    backend.port !== undefined ||
    backend.expose !== undefined ||
    !ENGINE_TRAITS[backend.engine].isUpstream ||
    Object.values(backends).some(({ links }) => links.includes(name))
  )
}

function sorted<T>(map: ReadonlyMap<string, T>): Record<string, T> {
  return Object.fromEntries([...map].sort(([a], [b]) => (a < b ? -1 : 1)))
}
