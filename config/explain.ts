import { z } from 'zod'
import type { Config } from '../schemas/config/config.ts'
import { type KeyNode, leaves, nodeAt } from '../schemas/config/keys.ts'
import type { ConfigDifference, Explanation, LayerValue } from '../schemas/config/layers.ts'
import { keyPathText, parseKeyPath } from '../schemas/words/key-path.ts'
import { isTree, leafPaths, merge, type Path, sameValue, type Tree, valueAt } from '../syntax/tree.ts'
import type { Withheld } from './bound-keys.ts'
import { type Layer, type Layers, mergeLayers, winnerOf } from './layers.ts'
import { decidedKeys, howToChange, type PassedSocket, socketLayer } from './passed-socket.ts'
import { ConfigError, keySuggestion } from './problems.ts'
import { type Fingerprint, shown } from './shown.ts'

/** What explanations are made of. */
export type Inspected = {
  readonly tree: KeyNode
  readonly layers: Layers
  readonly configured: Config
  readonly running: Config
  /** Keys of upstreams that are not sent. */
  readonly withheld: readonly Withheld[]
  /** What systemd passed, and the URLs that are listened on through it. */
  readonly passed: { readonly socket: PassedSocket; readonly urls: readonly string[] } | undefined
  /** Absent: nothing is shown of secrets. */
  readonly fingerprint?: Fingerprint | undefined
}

/** What every layer says about a key, and which one wins. @throws ConfigError UNKNOWN_KEY */
export function explainKey(inspected: Inspected, path: Path): Explanation {
  const { tree, configured, running, passed, withheld, fingerprint } = inspected
  const node = knownNode(tree, path)
  const decided = decidedKeys(path)
  const socket = passed !== undefined && decided.length > 0 ? socketLayer(passed.socket, passed.urls) : undefined
  const layers = socket === undefined ? inspected.layers : [socket, ...inspected.layers]
  const inForce = (config: Tree) => valueAt(socket === undefined ? config : merge([socket.values, config]), path)
  const reasonOf = ({ name }: Layer) =>
    withheld.find((key) => key.layer === name && sameValue(key.path, path))?.problem.message
  const sent = layers.filter((layer) => reasonOf(layer) === undefined)
  const winner = winnerOf(sent, path)?.name
  const value = inForce(configured)
  const isWhole = passed !== undefined && decided.some((key) => sameValue(key, path))
  return {
    key: keyPathText(path),
    value: shown(node, value, fingerprint),
    waiting: !sameValue(value, inForce(running)),
    ...(winner === undefined ? {} : { winner }),
    layers: layers.map((layer): LayerValue => {
      const own = valueAt(layer.values, path)
      if (own === undefined) return { layer: layer.name, set: false }
      const reason = reasonOf(layer)
      const said = { layer: layer.name, set: true, value: shown(node, own, fingerprint), source: layer.sourceOf(path) }
      return reason === undefined ? said : { ...said, withheld: reason }
    }),
    ...(node.meta.description === '' ? {} : { description: node.meta.description }),
    restart: node.meta.restart === true,
    ...(isWhole ? { change: howToChange(passed.socket, passed.urls) } : {}),
  }
}

/** Every key that can hold a value, for the entries that exist. */
export function listKeys(inspected: Inspected): Explanation[] {
  const { tree, configured } = inspected
  const named = (path: Path): Path[] => {
    const star = path.indexOf('*')
    if (star === -1) return [path]
    const entries = valueAt(configured, path.slice(0, star))
    return Object.keys(isTree(entries) ? entries : {}).map((name) => path.with(star, name))
  }
  return [...leaves(tree)].flatMap(([path]) => named(path)).map((path) => explainKey(inspected, path))
}

/** What the runtime layer changes over the layers below it. */
export function runtimeDifferences({ tree, layers, passed, fingerprint }: Inspected): ConfigDifference[] {
  const [, runtime, ...below] = layers
  const merged = mergeLayers(below)
  return [...leafPaths(runtime.values)].flatMap((path) => {
    const mine = valueAt(runtime.values, path)
    const under = valueAt(merged, path)
    if (sameValue(mine, under)) return []
    const node = nodeAt(tree, path)
    const isDecided = passed !== undefined && decidedKeys(path).length > 0
    const show = (value: unknown) => shown(node, value, fingerprint)
    const effective = isDecided ? 'socket' : (winnerOf(layers, path)?.name ?? 'runtime')
    return [{ key: keyPathText(path), below: show(under), runtime: show(mine), effective }]
  })
}

/** The path that a key as people write it means. @throws ConfigError UNKNOWN_KEY */
export function pathOfKey(key: string): Path {
  const path = parseKeyPath(key)
  if (path !== undefined) return path
  const message = 'is not a valid key: separate its parts by dots, and put a part that holds dots in double quotes'
  const hint = 'write it as in models."gpt-4.1".targets'
  throw new ConfigError([{ code: 'UNKNOWN_KEY', layer: 'runtime', where: key, key, message, hint }])
}

/** @throws ConfigError UNKNOWN_KEY with what was probably meant, INVALID_NAME */
export function knownNode(tree: KeyNode, path: Path): KeyNode {
  const node = nodeAt(tree, path)
  if (node !== undefined) return node
  refuseNames(tree, path)
  const key = keyPathText(path)
  const hint = keySuggestion(tree, path)
  const problem = { code: 'UNKNOWN_KEY', layer: 'runtime', where: key, key, message: `unknown key ${key}` } as const
  throw new ConfigError([{ ...problem, ...(hint === undefined ? {} : { hint }) }])
}

/** @throws ConfigError INVALID_NAME for a name that its table does not take */
function refuseNames(tree: KeyNode, path: Path): void {
  path.forEach((name, depth) => {
    const table = nodeAt(tree, path.slice(0, depth))
    if (table?.kind !== 'map') return
    const { error } = z.safeParse(table.name, name)
    if (error === undefined) return
    const key = keyPathText(path)
    const message = `${keyPathText(path.slice(0, depth + 1))} is not a valid name`
    const hint = error.issues[0]?.message ?? 'use another name'
    throw new ConfigError([{ code: 'INVALID_NAME', layer: 'runtime', where: key, key, message, hint }])
  })
}
