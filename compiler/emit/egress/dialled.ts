import type { SpecPath } from '../../../schemas/spec/path.ts'
import { defaultBaseUrl, isProvider } from '../../../schemas/words/providers.ts'
import { isTree, merge, type Tree, valueAt } from '../../../syntax/tree.ts'
import type { Deployment } from '../../ir/deployment.ts'

/** Something that the daemon connects to. */
export type Dialled = { readonly origin: SpecPath } & (
  | { readonly kind: 'socket'; readonly path: string }
  | { readonly kind: 'url'; readonly url: string }
)

/**
 * Every upstream of the spec and of the settings, disabled ones included, since they can be enabled while the daemon
 * runs. Backends are not among them: they are reached by sockets in a directory of the gateway's own, or by `address`.
 */
export function dialledUpstreams({ upstreams }: Deployment, settings: Tree): Dialled[] {
  const ofSpec = upstreams.map(({ name, provider, baseUrl, socket }) => [name, { provider, base_url: baseUrl, socket }])
  const written = merge([tableAt(settings, 'backends'), tableAt(settings, 'upstreams'), Object.fromEntries(ofSpec)])
  return Object.entries(written).flatMap(([name, upstream]): Dialled[] => {
    if (!isTree(upstream)) return []
    const origin = ['upstreams', name]
    const { provider = name, base_url, socket } = upstream
    if (typeof socket === 'string') return [{ kind: 'socket', origin: [...origin, 'socket'], path: socket }]
    const url = base_url ?? (isProvider(provider) ? defaultBaseUrl(provider) : undefined)
    return typeof url === 'string' ? [{ kind: 'url', origin: [...origin, 'base_url'], url }] : []
  })
}

function tableAt(settings: Tree, key: string): Tree {
  const table = valueAt(settings, [key])
  return isTree(table) ? table : {}
}
