import type { z } from 'zod'
import type { ConfigHandle } from '../../../config/handle.ts'
import type { DaemonStatus } from '../../../schemas/admin.ts'
import { UPSTREAM_ANSWERS, upstreamChange, type upstreamInfo, upstreamRequest } from '../../../schemas/api/upstreams.ts'
import { keyPathText } from '../../../schemas/words/key-path.ts'
import { suggestion } from '../../../schemas/words/nearest.ts'
import { setEach, unsetWhole } from '../edits.ts'
import { AdminError } from '../error.ts'
import { json } from '../reply.ts'
import { type ApiRoute, apiRoute } from '../route.ts'
import { shownAt } from './config.ts'

export type UpstreamParts = {
  readonly config: Pick<ConfigHandle, 'current' | 'explain' | 'set' | 'unset' | 'change'>
  readonly status: () => DaemonStatus
}

/** Where requests can go: providers and servers, added, changed and removed in the runtime layer. */
export function upstreamRoutes({ config, status }: UpstreamParts): readonly ApiRoute[] {
  const list = () => status().upstreams.map(infoOf(config))
  const keyOf = (name: string) => keyPathText(['upstreams', name])

  function find(name: string) {
    const found = list().find((upstream) => upstream.name === name)
    if (found !== undefined) return found
    const names = list().map((upstream) => upstream.name)
    const hint = suggestion(name, names, 'upstream')
    throw new AdminError('UPSTREAM_NOT_FOUND', `there is no upstream "${name}"`, { hint })
  }

  /** @throws AdminError when it is configured elsewhere, or not at all */
  function requireOwn(name: string): void {
    const { from } = find(name)
    if (from === 'upstreams') return
    const what = from === 'backends' ? 'a backend' : 'an engine that was found on this host'
    throw new AdminError('NOT_AT_RUN_TIME', `"${name}" is ${what}, not an upstream of the configuration`, {
      hint: from === 'backends' ? 'its keys are under backends' : 'POST makes an upstream of this name',
    })
  }

  return [
    apiRoute({
      method: 'GET',
      path: '/api/admin/upstreams',
      scope: 'config:read',
      summary: 'Lists the upstreams, backends and found engines among them, with their state',
      answer: UPSTREAM_ANSWERS['GET /api/admin/upstreams'],
      handle: () => json({ upstreams: list() }),
    }),
    apiRoute({
      method: 'GET',
      path: '/api/admin/upstreams/{name}',
      scope: 'config:read',
      summary: 'Describes one upstream',
      answer: UPSTREAM_ANSWERS['GET /api/admin/upstreams/{name}'],
      handle: ({ params: { name = '' } }) => json(find(name)),
    }),
    apiRoute({
      method: 'POST',
      path: '/api/admin/upstreams',
      scope: 'config:write',
      summary: 'Adds an upstream; its key is kept sealed and never shown again',
      audit: 'upstream.create',
      status: 201,
      body: upstreamRequest,
      answer: UPSTREAM_ANSWERS['POST /api/admin/upstreams'],
      handle: async ({ body: { name, ...settings } }) => {
        const { upstreams, backends } = config.current()
        if (Object.hasOwn(upstreams, name) || Object.hasOwn(backends, name))
          throw new AdminError('ALREADY_EXISTS', `there is an upstream "${name}" already`, { hint: 'PATCH changes it' })
        await config.set(keyOf(name), settings, { force: false })
        return json(find(name), {
          change: { object: `upstream:${name}`, old: null, new: shownAt(config, keyOf(name)) },
        })
      },
    }),
    apiRoute({
      method: 'PATCH',
      path: '/api/admin/upstreams/{name}',
      scope: 'config:write',
      summary: 'Changes settings of an upstream; null takes one away. Its key does not follow it to another address',
      audit: 'upstream.change',
      body: upstreamChange,
      answer: UPSTREAM_ANSWERS['PATCH /api/admin/upstreams/{name}'],
      handle: async ({ params: { name = '' }, body: { api_key, ...others } }) => {
        requireOwn(name)
        const old = shownAt(config, keyOf(name))
        // a new address takes the key away, so that the new key comes last
        const change = { ...others, ...(api_key !== undefined && { api_key }) }
        const changed = await setEach(config, ['upstreams', name], change)
        return json(changed, { change: { object: `upstream:${name}`, old, new: shownAt(config, keyOf(name)) } })
      },
    }),
    apiRoute({
      method: 'DELETE',
      path: '/api/admin/upstreams/{name}',
      scope: 'config:write',
      summary: 'Removes an upstream that was added at run time',
      audit: 'upstream.remove',
      answer: UPSTREAM_ANSWERS['DELETE /api/admin/upstreams/{name}'],
      handle: async ({ params: { name = '' } }) => {
        requireOwn(name)
        const old = shownAt(config, keyOf(name))
        const changed = await unsetWhole(config, keyOf(name))
        return json(changed, { change: { object: `upstream:${name}`, old, new: null } })
      },
    }),
  ]
}

const infoOf =
  (config: Pick<ConfigHandle, 'current'>) =>
  (upstream: DaemonStatus['upstreams'][number]): z.input<typeof upstreamInfo> => {
    const { upstreams, backends } = config.current()
    const { name } = upstream
    const from = Object.hasOwn(upstreams, name) ? 'upstreams' : Object.hasOwn(backends, name) ? 'backends' : 'found'
    const own = from === 'upstreams' ? upstreams[name] : from === 'backends' ? backends[name] : undefined
    return {
      ...upstream,
      enabled: own?.enabled ?? true,
      ...(own?.base_url !== undefined && { base_url: own.base_url }),
      has_key: own?.api_key !== undefined,
      from,
    }
  }
