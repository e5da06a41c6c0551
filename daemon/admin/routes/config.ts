import { z } from 'zod'
import type { ConfigHandle } from '../../../config/handle.ts'
import { configSetRequest, configValidateRequest } from '../../../schemas/admin.ts'
import { CONFIG_ANSWERS } from '../../../schemas/api/config.ts'
import type { Explanation } from '../../../schemas/config/layers.ts'
import { GateError } from '../../../schemas/words/errors.ts'
import { parseKeyPath } from '../../../schemas/words/key-path.ts'
import { PROMOTE_FORMATS } from '../../../schemas/words/promote-formats.ts'
import type { Principal } from '../../auth/principal.ts'
import { factsOf } from '../facts.ts'
import { json } from '../reply.ts'
import { type ApiRoute, apiRoute } from '../route.ts'

export type ConfigParts = { readonly config: ConfigHandle }

/** The configuration: what is set where, and the runtime layer, which can be changed. */
export function configRoutes({ config }: ConfigParts): readonly ApiRoute[] {
  return [
    apiRoute({
      method: 'GET',
      path: '/api/admin/config',
      scope: 'config:read',
      summary: 'Lists every key of the configuration with its value; secrets are hidden',
      answer: CONFIG_ANSWERS['GET /api/admin/config'],
      handle: () => json({ keys: config.list().map(withValue) }),
    }),
    apiRoute({
      method: 'GET',
      path: '/api/admin/config/diff',
      scope: 'config:read',
      summary: 'Lists what the runtime layer has changed',
      answer: CONFIG_ANSWERS['GET /api/admin/config/diff'],
      handle: () => {
        const differences = config.diff().map((d) => ({ ...d, below: d.below ?? null, runtime: d.runtime ?? null }))
        return json({ differences })
      },
    }),
    apiRoute({
      method: 'GET',
      path: '/api/admin/config/promote',
      scope: 'config:read',
      summary: 'Writes the runtime layer as it would be written in a spec or in NixOS options',
      query: z.strictObject({ format: z.enum(PROMOTE_FORMATS).default('spec') }),
      answer: CONFIG_ANSWERS['GET /api/admin/config/promote'],
      handle: ({ query: { format } }) => json({ format, text: config.promote(format) }),
    }),
    apiRoute({
      method: 'POST',
      path: '/api/admin/config/validate',
      scope: 'config:read',
      summary: 'Checks the text of a runtime file, or what is configured now',
      body: configValidateRequest.default({}),
      answer: CONFIG_ANSWERS['POST /api/admin/config/validate'],
      handle: ({ body: { text } }) => {
        const problems = [...(text === undefined ? config.problems() : config.validate(text))]
        return json({ valid: problems.length === 0, problems })
      },
    }),
    apiRoute({
      method: 'GET',
      path: '/api/admin/config/keys/{key}',
      scope: 'config:read',
      summary: 'Explains one key: its value in each layer, and which one wins',
      answer: CONFIG_ANSWERS['GET /api/admin/config/keys/{key}'],
      handle: ({ params: { key = '' } }) => json(withValue(config.explain(key))),
    }),
    apiRoute({
      method: 'PUT',
      path: '/api/admin/config/keys/{key}',
      scope: 'config:write',
      summary: 'Sets one key, or a whole table, in the runtime layer',
      audit: 'config.set',
      body: configSetRequest,
      answer: CONFIG_ANSWERS['PUT /api/admin/config/keys/{key}'],
      handle: async ({ principal, params: { key = '' }, body }) => {
        requireRight(principal, key)
        const before = config.explain(key)
        const value = 'text' in body ? config.readText(key, body.text) : body.value
        const changed = await config.set(key, value, { force: body.force })
        return json(changed, { change: { object: `config:${key}`, ...differenceOf(before, config.explain(key)) } })
      },
    }),
    apiRoute({
      method: 'DELETE',
      path: '/api/admin/config/keys/{key}',
      scope: 'config:write',
      summary: 'Takes one key, or everything under it, out of the runtime layer',
      audit: 'config.unset',
      answer: CONFIG_ANSWERS['DELETE /api/admin/config/keys/{key}'],
      handle: async ({ principal, params: { key = '' } }) => {
        requireRight(principal, key)
        const before = config.explain(key)
        const changed = await config.unset(key)
        return json(changed, { change: { object: `config:${key}`, ...differenceOf(before, config.explain(key)) } })
      },
    }),
  ]
}

/** What the scope config:write is for. Anything else decides who may do what, so it takes the scope admin. */
const OPEN_TABLES: ReadonlySet<string> = new Set(['upstreams', 'backends', 'models', 'categories'])

/** @throws GateError MISSING_SCOPE */
function requireRight({ scopes, name }: Principal, key: string): void {
  if (scopes.has('admin') || OPEN_TABLES.has(parseKeyPath(key)?.[0] ?? '')) return
  throw new GateError(
    'MISSING_SCOPE',
    `the key "${name}" lacks the scope admin, which changes of ${key.slice(0, 100)} need; config:write is for ${[...OPEN_TABLES].join(', ')}`,
  )
}

/** What a change was, for the audit: of the value in force; where a stronger layer hides it, of the runtime layer. */
function differenceOf(before: Explanation, after: Explanation) {
  const [old, now] = [factsOf(before.value), factsOf(after.value)]
  if (JSON.stringify(old) !== JSON.stringify(now)) return { old, new: now }
  const inRuntime = ({ layers }: Explanation) => factsOf(layers.find(({ layer }) => layer === 'runtime')?.value)
  return { old: inRuntime(before), new: inRuntime(after) }
}

/** A value for the audit, without secrets; null where nothing is set, or no such key. */
export function shownAt(config: Pick<ConfigHandle, 'explain'>, key: string) {
  try {
    return factsOf(config.explain(key).value)
  } catch {
    return null
  }
}

/** JSON has no `undefined`: a key that no layer sets has the value null. */
function withValue(explanation: Explanation): Explanation {
  return { ...explanation, value: explanation.value ?? null }
}
