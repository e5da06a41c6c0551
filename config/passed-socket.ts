import { isIP } from 'node:net'
import type { ConfigProblem } from '../schemas/config/layers.ts'
import { hostPort } from '../schemas/words/address.ts'
import { keyPathText } from '../schemas/words/key-path.ts'
import { type Path, type Tree, valueAt } from '../syntax/tree.ts'
import { listenCommand } from '../syntax/unit/listen-command.ts'
import type { Layer, Layers } from './layers.ts'

/** Sockets for clients that systemd opened: they decide in place of `server.host` and `server.port`. */
export type PassedSocket = {
  /** `gate-daemon.socket` */
  readonly unit: string
  /** Where its address comes from, which is where it is changed. */
  readonly writtenBy: 'spec' | 'nixos' | 'unit'
}

/** What a socket unit decides. */
const DECIDED: readonly Path[] = [
  ['server', 'host'],
  ['server', 'port'],
]

/** The keys at or below a path that a socket unit decides. */
export function decidedKeys(path: Path): readonly Path[] {
  return DECIDED.filter((decided) => path.every((step, index) => decided[index] === step))
}

/**
 * The sockets as a layer above all others, for people to see. It is not merged into the configuration, which says what
 * counts where systemd passes none.
 * @param urls what the daemon listens on; none while it starts
 */
export function socketLayer({ unit }: PassedSocket, urls: readonly string[]): Layer {
  const own = urls.filter((url) => url.startsWith('http')) // beside the Unix socket of a proxy
  const addresses = (own.length === 0 ? urls : own).map(addressOf)
  const host = oneOrAll(addresses.map((address) => address.host))
  const port = oneOrAll(addresses.map((address) => address.port))
  return { name: 'socket', values: { server: { host, port } }, sourceOf: () => unit }
}

/** One value, or all of them; null while none is known. */
function oneOrAll(values: readonly unknown[]): unknown {
  const all = [...new Set(values)]
  return all.length > 1 ? all : (all[0] ?? null)
}

/** Why a value is not written, and how to have it. @param wanted the value in a tree of keys */
export function refusedBySocket(
  socket: PassedSocket,
  path: Path,
  wanted: Tree,
  urls: readonly string[],
): ConfigProblem {
  const key = keyPathText(path)
  const message = `${key} has no effect: the daemon listens where ${socket.unit} of systemd says`
  const hint = howToChange(socket, urls, wanted)
  return { code: 'SOCKET_DECIDES', layer: 'socket', where: socket.unit, key, message, hint }
}

/** Keys of the environment and of the runtime file that have no effect. */
export function ignoredKeys(
  socket: PassedSocket,
  [env, runtime]: Layers,
  urls: readonly string[],
): readonly ConfigProblem[] {
  return [env, runtime].flatMap((layer) =>
    DECIDED.filter((path) => valueAt(layer.values, path) !== undefined).map((path) => {
      const problem = refusedBySocket(socket, path, layer.values, urls)
      return { ...problem, layer: layer.name, where: layer.sourceOf(path) }
    }),
  )
}

/** What to write where, and what to run then, to have another address. */
export function howToChange({ unit, writtenBy }: PassedSocket, urls: readonly string[], wanted: Tree = {}): string {
  const url = urls.find((each) => each.startsWith('http'))
  const usual = url !== undefined ? addressOf(url) : { host: '127.0.0.1', port: 3000 }
  const [wantedHost, wantedPort] = [valueAt(wanted, ['server', 'host']), valueAt(wanted, ['server', 'port'])]
  const host = typeof wantedHost === 'string' ? wantedHost : String(usual.host)
  const port = typeof wantedPort === 'number' && wantedPort > 0 ? wantedPort : Number(usual.port)
  switch (writtenBy) {
    case 'spec':
      return `write host = "${host}" and port = ${port} under [gate.server] in /etc/gate/gate.toml, then run: sudo gatectl apply`
    case 'nixos':
      return `write host = "${host}"; and port = ${port}; in services.gate-daemon, then run: nixos-rebuild switch`
    case 'unit': {
      const address = isIP(host) === 0 ? '127.0.0.1' : host // a unit takes no names
      return `as root: ${listenCommand(unit, hostPort(address, port))}`
    }
  }
}

/** Host and port of a URL; a path is both. */
function addressOf(url: string): { readonly host: string; readonly port: number | string } {
  if (!url.startsWith('http')) return { host: url, port: url }
  const { hostname, port } = new URL(url)
  return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 80) }
}
