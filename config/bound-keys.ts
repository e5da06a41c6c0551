import type { ConfigProblem, LayerName } from '../schemas/config/layers.ts'
import { CLOUDFLARE_API } from '../schemas/words/certificate-sources.ts'
import { keyPathText } from '../schemas/words/key-path.ts'
import { defaultBaseUrl, isProvider } from '../schemas/words/providers.ts'
import { isTree, merge, type Path, sameValue, type Tree, valueAt, withoutValue, withValue } from '../syntax/tree.ts'
import type { Layer, Layers } from './layers.ts'

/** The key that a layer sets for an upstream or backend, and that is not sent there. */
export type Withheld = { readonly path: Path; readonly layer: LayerName; readonly problem: ConfigProblem }

const MAPS = ['upstreams', 'backends']
/** What decides where requests, and the key in them, go. */
const ADDRESS = ['base_url', 'socket', 'provider']
/** The token for an API of DNS, and what decides where it goes. */
const DNS = ['letsencrypt', 'dns']
const DNS_TOKEN = [...DNS, 'api_token']
const DNS_ADDRESS = ['api']

/**
 * Leaves in the merged values only keys that go where they were meant to go: a key is bound to the origin, path and
 * socket that its own layer and those below it name. Who may write config.toml cannot lead a credential elsewhere by it, and
 * can set a key of their own there.
 */
export function withBoundKeys(layers: Layers, merged: Tree): { values: Tree; withheld: readonly Withheld[] } {
  const withheld: Withheld[] = []
  let values = merged
  for (const path of keyPaths(merged)) {
    const to = addressIn(layers, path)
    const set = layers.filter((layer) => valueAt(layer.values, path) !== undefined)
    const sent = set.find((layer) => isFor(addressIn(ownAndBelow(layer, layers), path), to))
    const above = sent === undefined ? set : set.slice(0, set.indexOf(sent))
    if (above.length === 0) continue
    if (sent !== undefined) values = withValue(values, path, valueAt(sent.values, path))
    else values = withoutValue(values, path)
    for (const layer of above) withheld.push(withheldKey(layers, layer, path, to))
  }
  return { values, withheld }
}

/** The key of config.toml that an edit of config.toml leads elsewhere, so that it has to be set again; else undefined. */
export function keyLedAway(layers: Layers, edited: Path, runtime: Tree): Withheld | undefined {
  const path = keyGoverned(edited)
  if (path === undefined) return undefined
  const [env, before, ...below] = layers
  if (valueAt(before.values, path) === undefined) return undefined
  const was = addressIn([before, ...below], path)
  const to = addressIn([{ ...before, values: runtime }, ...below], path)
  if (isFor(was, to)) return undefined
  const key = keyPathText(path)
  const message = `${key} was removed: it was set for ${shown(was, to) ?? 'no address'}, and requests now go to ${shown(to, was) ?? 'none'}`
  const hint = valueAt(env.values, path) === undefined ? `set ${key} again, if the new address may know it` : undefined
  const problem = { code: 'KEY_WITHHELD', layer: 'runtime', where: before.sourceOf(path), key, message } as const
  return { path, layer: 'runtime', problem: hint === undefined ? problem : { ...problem, hint } }
}

/** The key whose way an edit decides. */
function keyGoverned(edited: Path): Path | undefined {
  const [map = '', name = '', leaf = ''] = edited
  if (edited.length !== 3) return undefined
  if (sameValue([map, name], DNS)) return DNS_ADDRESS.includes(leaf) ? DNS_TOKEN : undefined
  return MAPS.includes(map) && ADDRESS.includes(leaf) ? [map, name, 'api_key'] : undefined
}

/** Every key that a layer has for the upstream or backend, whether it is sent or not. */
export function keysOf(layers: Layers, name: string): string[] {
  const found = MAPS.flatMap((map) => layers.map(({ values }) => valueAt(values, [map, name, 'api_key'])))
  return found.filter((key) => typeof key === 'string')
}

function* keyPaths(merged: Tree): Generator<Path> {
  if (valueAt(merged, DNS_TOKEN) !== undefined) yield DNS_TOKEN
  for (const map of MAPS) {
    const entries = valueAt(merged, [map])
    for (const [name, entry] of Object.entries(isTree(entries) ? entries : {}))
      if (valueAt(entry, ['api_key']) !== undefined) yield [map, name, 'api_key']
  }
}

/** The environment is root's, and config.toml is not: it does not say where a key of the environment goes. */
function ownAndBelow(layer: Layer, layers: Layers): readonly Layer[] {
  const below = layers.slice(layers.indexOf(layer))
  return layer.name === 'env' ? below.filter(({ name }) => name !== 'runtime') : below
}

type Address = { readonly origin: string; readonly path: string; readonly socket: string | undefined }

/** Where the layers send the entry of a key; undefined: nowhere. */
function addressIn(layers: readonly Layer[], [map = '', name = '']: Path): Address | undefined {
  // what the defaults say of an address follows from all layers, so it is derived here from these
  const said = layers.filter((layer) => layer.name !== 'defaults').map(({ values }) => valueAt(values, [map, name]))
  const entry = merge(said.filter(isTree))
  const provider = valueAt(entry, ['provider']) ?? name
  const usual = isProvider(provider) ? defaultBaseUrl(provider) : undefined
  const url = map === DNS[0] ? (valueAt(entry, ['api']) ?? CLOUDFLARE_API) : (valueAt(entry, ['base_url']) ?? usual)
  if (typeof url !== 'string' || !URL.canParse(url)) return undefined
  const { origin, pathname, search } = new URL(url)
  const socket = valueAt(entry, ['socket'])
  const path = pathname.replace(/\/+$/, '') + search
  return { origin, path, socket: typeof socket === 'string' ? socket : undefined }
}

/**
 * Whether a key that is bound to an address may go to another: the same, or a path below. One origin can serve several
 * accounts, told apart by the path. What is escaped may be read as more slashes there.
 */
function isFor(bound: Address | undefined, to: Address | undefined): boolean {
  if (bound === undefined || to === undefined) return bound === to
  if (bound.origin !== to.origin || bound.socket !== to.socket) return false
  if (bound.socket !== undefined) return true // one engine, which knows one key
  return to.path === bound.path || (to.path.startsWith(`${bound.path}/`) && !/[%?]/.test(to.path))
}

/** As much of an address as tells it from the other. */
function shown(address: Address | undefined, other: Address | undefined): string | undefined {
  if (address === undefined) return undefined
  const { origin, path, socket } = address
  const isElsewhere = origin !== other?.origin || socket !== other.socket
  return `${origin}${isElsewhere ? '' : path || '/'}${socket === undefined ? '' : ` at ${socket}`}`
}

function withheldKey(layers: Layers, { name, sourceOf }: Layer, path: Path, to: Address | undefined): Withheld {
  const key = keyPathText(path)
  const own = layers.find((layer) => layer.name === name)
  const meant = own === undefined ? undefined : addressIn(ownAndBelow(own, layers), path)
  const message = `${key} is not sent: it is for ${shown(meant, to) ?? 'an address that its layer does not name'}, and requests go to ${shown(to, meant) ?? 'none'}`
  const [map, entry] = path
  const hint = `set ${key} for the new address with gatectl config set, or remove what changes ${map}.${entry}`
  return {
    path,
    layer: name,
    problem: { code: 'KEY_WITHHELD', layer: name, where: sourceOf(path), key, message, hint },
  }
}
