import { isTree } from '../../syntax/tree.ts'

/** Names that the spec defines, including those whose entries are wrong in another way. */
export type DefinedNames = {
  readonly backends: ReadonlySet<string>
  readonly upstreams: ReadonlySet<string>
  readonly models: ReadonlySet<string>
}

/** The names defined in a spec that has not been checked yet. */
export function definedNames(value: unknown): DefinedNames {
  const namesIn = (key: string): Set<string> => {
    const collection = isTree(value) ? value[key] : undefined
    return new Set(isTree(collection) ? Object.keys(collection) : [])
  }
  return { backends: namesIn('backends'), upstreams: namesIn('upstreams'), models: namesIn('models') }
}
