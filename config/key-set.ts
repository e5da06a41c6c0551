import type { z } from 'zod'
import { configSchema } from '../schemas/config/config.ts'
import { type KeyNode, keyTree, layerSchema } from '../schemas/config/keys.ts'

/** The daemon's keys in the forms that the layers need. */
export type KeySet = { readonly tree: KeyNode; readonly layer: z.ZodType }

export function configKeys(): KeySet {
  const tree = keyTree(configSchema)
  return { tree, layer: layerSchema(tree) }
}
