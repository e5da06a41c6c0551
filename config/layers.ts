import type { LayerName } from '../schemas/config/layers.ts'
import { merge, type Path, type Tree, valueAt } from '../syntax/tree.ts'

/** One layer as read and checked. */
export type Layer = {
  readonly name: LayerName
  readonly values: Tree
  /** The values before `${NAME}` was replaced in them, where that differs. */
  readonly written?: Tree
  /** Where the value at a path (or the first under it) was written. */
  readonly sourceOf: (path: Path) => string
}

/** The strongest first. What systemd decides is not among them: passed-socket.ts. */
export type Layers = readonly [env: Layer, runtime: Layer, declared: Layer, defaults: Layer]

export function emptyLayer(name: LayerName): Layer {
  return { name, values: {}, sourceOf: () => name }
}

/** The strongest layer that has something at the path. */
export function winnerOf(layers: readonly Layer[], path: Path): Layer | undefined {
  return layers.find((layer) => valueAt(layer.values, path) !== undefined)
}

export function mergeLayers(layers: readonly Layer[]): Tree {
  return merge(layers.map((layer) => layer.values))
}
