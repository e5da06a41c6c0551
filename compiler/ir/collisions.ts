import type { SpecPath } from '../../schemas/spec/path.ts'
import { hostsOverlap } from '../../schemas/words/address.ts'
import type { Finding } from '../diagnostic.ts'
import type { Deployment } from './deployment.ts'
import { AGENT } from './names.ts'
import type { Listener } from './nodes/host.ts'

/** Things of the deployment that want the same port, id, name or path. Linear in the size of the deployment. */
export function findCollisions(deployment: Deployment): Finding[] {
  return [
    ...portCollisions(deployment.listeners),
    ...uidCollisions(deployment),
    ...rangeCollisions(deployment),
    ...nameCollisions(deployment),
  ]
}

function portCollisions(listeners: readonly Listener[]): Finding[] {
  const groups = Map.groupBy(listeners, ({ protocol, port }) => `${protocol} ${port}`)
  return [...groups.values()].flatMap((group) =>
    group.flatMap((listener, i): Finding[] => {
      const other = group.slice(0, i).find(({ host }) => hostsOverlap(host, listener.host))
      if (other === undefined) return []
      const message = `${listener.protocol} port ${listener.port} is already taken by ${other.origin.join('.')}`
      return [{ code: 'PORT_COLLISION', path: listener.origin, message, hint: 'write another port' }]
    }),
  )
}

function uidCollisions({ users }: Deployment): Finding[] {
  const numbered = users.flatMap(({ uid, name, origin }) =>
    uid === undefined ? [] : [{ id: String(uid), name, origin }],
  )
  return repeats(numbered).map(({ item, first }) => ({
    code: 'UID_COLLISION',
    path: [...item.origin, 'uid'],
    message: `user id ${item.id} is already taken by ${first.name}`,
    hint: 'write another uid, or none',
  }))
}

function rangeCollisions({ users }: Deployment): Finding[] {
  const ranges = users
    .flatMap(({ subuid, name, origin }) => (subuid === undefined ? [] : [{ ...subuid, name, origin }]))
    .sort((a, b) => a.start - b.start)
  return ranges.flatMap((range, i): Finding[] => {
    const before = ranges[i - 1]
    if (before === undefined || before.start + before.count <= range.start) return []
    const message = `the subordinate ids of ${range.name} overlap those of ${before.name}`
    return [{ code: 'SUBUID_COLLISION', path: range.origin, part: 'key', message, hint: 'correct gate.lock.json' }]
  })
}

type Named = { readonly id: string; readonly what: string; readonly origin: SpecPath }

function nameCollisions(deployment: Deployment): Finding[] {
  const { gateway, groups, users, containers, networks, volumes, sockets, links, agents, vhosts, relays } = deployment
  const name = (what: string, id: string, origin: SpecPath): Named => ({
    id: `${what} ${id}`,
    what: `${what} ${id}`,
    origin,
  })
  const unit = (user: string, file: string, origin: SpecPath): Named => ({
    ...name('unit', file, origin),
    id: `${user} ${file}`,
  })
  const all: Named[] = [
    ...groups.map((group) => name('account', group.name, group.origin)),
    ...users.map((user) => name('account', user.name, user.origin)),
    ...agents.flatMap(({ user, origin }) => Object.values(AGENT).map((file) => unit(user, file, origin))),
    ...containers.map(({ user, unit: file, origin }) => unit(user, `${file}.service`, origin)),
    ...networks.map(({ user, unit: file, origin }) => unit(user, `${file}-network.service`, origin)),
    ...volumes.map(({ user, unit: file, origin }) => unit(user, `${file}-volume.service`, origin)),
    ...sockets.flatMap((socket) => [
      unit(socket.user, socket.socketUnit, socket.origin),
      unit(socket.user, socket.proxyUnit, socket.origin),
    ]),
    name('path', gateway.adminSocket, gateway.origin),
    ...sockets.map(({ path, origin }) => name('path', path, origin)),
    ...agents.map(({ path, origin }) => name('path', path, origin)),
    ...links.map(({ path, origin }) => name('path', path, origin)),
    ...vhosts.map(({ host, origin }) => name('host name', host, origin)),
    ...relays.map(({ instance, origin }) => name('relay', instance, origin)),
  ]
  return repeats(all).map(({ item, first }) => ({
    code: 'NAME_COLLISION',
    path: item.origin,
    part: 'key',
    message: `the ${item.what} is already used for ${first.origin.join('.')}`,
    hint: 'rename one of them',
  }))
}

/** Items whose id was there before, each with the first of that id. */
function repeats<T extends { readonly id: string }>(items: readonly T[]): { item: T; first: T }[] {
  const seen = new Map<string, T>()
  return items.flatMap((item) => {
    const first = seen.get(item.id)
    if (first !== undefined) return [{ item, first }]
    seen.set(item.id, item)
    return []
  })
}
