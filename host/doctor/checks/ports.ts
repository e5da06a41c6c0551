import type { Deployment } from '../../../compiler/ir/deployment.ts'
import type { GatewayNames } from '../../../compiler/ir/names.ts'
import type { Listener } from '../../../compiler/ir/nodes/host.ts'
import { pathText } from '../../../schemas/spec/path.ts'
import { addressOf, hostsOverlap } from '../../../schemas/words/address.ts'
import { allOf, type ShellCommand, sh } from '../../../syntax/shell/print.ts'
import { listenCommand } from '../../../syntax/unit/listen-command.ts'
import type { Holder } from '../../../system/proc-net.ts'
import type { Check } from '../check.ts'
import { command, edit, type Finding, fail, ok } from '../finding.ts'
import { outputOf, readHostAccounts } from '../look.ts'
import { readListeners, readSocketOwners, type SocketOwner } from './listeners.ts'

export type PortFacts = {
  readonly wanted: readonly (Pick<Listener, 'port' | 'protocol' | 'host'> & {
    readonly origin: string
    /** Units and users of which one may hold it. `root` counts when the process behind it cannot be seen. */
    readonly expected: readonly string[]
  })[]
  readonly holders: readonly (Holder & { readonly owner: SocketOwner | undefined; readonly user: string })[]
  /** Addresses of sockets that systemd holds for our units, such as `0.0.0.0:3000`; "" when systemd was not asked. */
  readonly ownSockets: readonly string[]
}

export const ports: Check<PortFacts> = {
  name: 'ports',
  summary: 'whether the ports of the spec are free or used by Gate, else what uses them (process, program, user, unit)',
  async observe({ deployment, names }, signal) {
    const sockets = ROLES.map((role) => `${names.daemonUnit}${role}.socket`)
    const listened = await Promise.all(
      sockets.map(async (socket, i) => ({ socket, at: await listenedBy(socket, i > 0, signal) })),
    )
    const ownSockets = listened.flatMap(({ at }) => at)
    const wanted =
      deployment === undefined
        ? listened.flatMap(({ socket, at }) => at.flatMap((address) => socketPort(address, socket, names)))
        : deployment.listeners.map((listener) => wantedPort(listener, deployment))
    const all = (await readListeners()).filter(({ port, protocol }) =>
      wanted.some((want) => want.port === port && want.protocol === protocol),
    )
    const owners = await readSocketOwners(new Set(all.map(({ inode }) => inode)))
    const users = new Map([...readHostAccounts().users.values()].map(({ uid, name }) => [uid, name]))
    const holders = all.map((holder) => ({
      ...holder,
      owner: owners.get(holder.inode),
      user: users.get(holder.uid) ?? String(holder.uid),
    }))
    return { wanted, holders, ownSockets }
  },
  judge({ wanted, holders, ownSockets }) {
    if (wanted.length === 0) return [ok('without a spec and a socket unit the needed ports are unknown')]
    const findings = wanted.flatMap((want): Finding[] => {
      const taken = holders.find((holder) => isSame(want, holder) && !isOurs(want, holder, ownSockets))
      return taken === undefined ? [] : [foreign(want, taken)]
    })
    return findings.length > 0
      ? findings
      : [ok(`${wanted.map(({ port }) => port).join(', ')}: free, or used by what they are for`)]
  },
}

/** Of the daemon's sockets for clients; those for TLS are off where it serves none. */
const ROLES = ['', '-https', '-http'] as const

/** Addresses of a socket unit. @param mayBeOff one that is not active wants none then */
async function listenedBy(socket: string, mayBeOff: boolean, signal: AbortSignal): Promise<readonly string[]> {
  const listing = await outputOf(['systemctl', 'show', '--value', '--property=Listen,ActiveState', socket], signal)
  if (mayBeOff && /^inactive$/m.test(listing)) return []
  return [...listing.matchAll(/^(\S+) \(\w+\)$/gm)].map(([, address = '']) => address)
}

/** The port of a package's own gateway, which no spec describes. */
function socketPort(address: string, socket: string, { daemonUnit, user }: GatewayNames): PortFacts['wanted'] {
  const [, host = '', port] = /^\[?([^\]]*?)\]?:(\d+)$/.exec(address) ?? []
  if (port === undefined) return []
  return [{ port: Number(port), protocol: 'tcp', host, origin: socket, expected: [`${daemonUnit}.service`, user] }]
}

function wantedPort(
  { port, protocol, host, origin }: Listener,
  { gateway, proxy, containers, dns, names }: Deployment,
): PortFacts['wanted'][number] {
  const base = { port, protocol, host, origin: pathText(origin) }
  const [section, name] = origin
  if (section === 'backends')
    return {
      ...base,
      expected: containers
        .filter(({ unit }) => unit === `${names.prefix}-${String(name)}`)
        .flatMap(({ user, unit }) => [user, `${unit}.service`]),
    }
  if (section === 'proxy' || section === 'client')
    return { ...base, expected: [`${proxy.engine}.service`, proxy.engine, 'www-data', 'root'] }
  if (section === 'dns') return { ...base, expected: dns === undefined ? [] : [names.dnsUnit, 'root'] }
  if (section === 'relays') return { ...base, expected: [`${names.relayUnit}@${String(name)}.service`] }
  return { ...base, expected: [`${gateway.unit}.service`, gateway.user] }
}

function isSame({ port, protocol, host }: PortFacts['wanted'][number], holder: Holder): boolean {
  if (holder.port !== port || holder.protocol !== protocol) return false
  // an interface has a name, and its addresses are not known here: any holder may be in the way
  return addressOf(host) === undefined || hostsOverlap(host, holder.address)
}

function isOurs(
  want: PortFacts['wanted'][number],
  { owner, user, address, port }: PortFacts['holders'][number],
  ownSockets: readonly string[],
): boolean {
  const known = owner === undefined ? [user] : [owner.unit, user === 'root' ? '' : user]
  if (known.some((name) => name !== '' && want.expected.includes(name))) return true
  const isSystemd = owner === undefined || owner.pid === 1
  return isSystemd && ownSockets.some((own) => own === `${address}:${port}` || own === `[${address}]:${port}`)
}

function foreign(
  { port, protocol, origin }: PortFacts['wanted'][number],
  { owner, user, address }: PortFacts['holders'][number],
): Finding {
  const what = `${protocol} port ${port} is taken on ${address}`
  const isSocket = origin.endsWith('.socket')
  const otherPort = isSocket ? listenCommand(origin, `127.0.0.1:${port + 1}`) : undefined
  const why = (who: string) =>
    `${who} listens there; ${origin} wants it${otherPort === undefined ? '' : `\nor Gate gets another port: ${otherPort}`}`
  const freed = (line: ShellCommand) => command(isSocket ? allOf(line, sh`systemctl restart ${origin}`) : line)
  if (owner === undefined)
    return fail(
      what,
      why(`a process of ${user} (root sees which)`),
      command(sh`ss --listening --processes --${protocol} --numeric ${`sport = ${port}`}`),
    )
  const who = `${owner.program} (process ${owner.pid}, user ${user}${owner.unit === '' ? '' : `, ${owner.unit}`})`
  if (owner.unit.endsWith('.service') && !owner.unit.startsWith('user@'))
    return fail(what, why(who), freed(sh`systemctl disable --now ${owner.unit}`))
  return owner.pid === 1
    ? fail(
        what,
        why(who),
        otherPort === undefined ? edit('the spec', `another port for ${origin}`) : command(otherPort),
      )
    : fail(what, why(who), freed(sh`kill ${owner.pid}`))
}
