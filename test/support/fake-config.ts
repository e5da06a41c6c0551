import type { ConfigHandle } from '../../daemon/config/handle.ts'
import { AdminError } from '../../daemon/listener/admin-error.ts'
import { configSchema } from '../../schemas/config.ts'
import type { ConfigChange, ConfigProblem, Explanation, LayerName } from '../../schemas/layers.ts'

const LAYERS: readonly LayerName[] = ['env', 'runtime', 'nix', 'defaults']

type FakeKeys = Record<
  string,
  { [L in LayerName]?: unknown } & { readonly secret?: boolean; readonly restart?: boolean }
>

/** A configuration of five keys in memory, layered as the real one, without files. */
export function fakeConfig(): ConfigHandle & { readText(key: string, text: string): unknown } {
  const keys: FakeKeys = {
    'server.port': { defaults: 3000, nix: 4000, restart: true },
    'log.level': { defaults: 'info' },
    'server.allow_from': { defaults: [] },
    'upstreams.openai.api_key': { env: 'sk-env-canary', secret: true },
    'letsencrypt.email': {},
  }
  const problems: ConfigProblem[] = []
  const keyOf = (key: string) => {
    const found = keys[key]
    if (found === undefined)
      throw new AdminError(404, 'UNKNOWN_KEY', `no key ${key}`, { hint: 'did you mean log.level?' })
    return found
  }
  const explain = (key: string): Explanation => {
    const found = keyOf(key)
    const shown = (value: unknown) => (found.secret ? { secret: true } : value)
    const winner = LAYERS.find((layer) => found[layer] !== undefined)
    return {
      key,
      value: winner === undefined ? undefined : shown(found[winner]),
      waiting: false,
      ...(winner === undefined ? {} : { winner }),
      layers: LAYERS.map((layer) =>
        found[layer] === undefined
          ? { layer, set: false }
          : { layer, set: true, value: shown(found[layer]), source: `${layer} of the test` },
      ),
      restart: found.restart === true,
    }
  }
  const change = (key: string): ConfigChange => ({
    changed: [key],
    restart: keyOf(key).restart === true ? [key] : [],
    shadowed: keyOf(key).env === undefined ? [] : [key],
    problems: [],
  })
  return {
    current: () => configSchema.parse({}),
    problems: () => problems,
    explain,
    list: () => Object.keys(keys).map(explain),
    set: async (key, value, { force }) => {
      const found = keyOf(key)
      if (found.env !== undefined && !force) throw new AdminError(409, 'SHADOWED', `the environment hides ${key}`)
      found.runtime = value
      return change(key)
    },
    unset: async (key) => {
      delete keyOf(key).runtime
      return change(key)
    },
    diff: () =>
      Object.entries(keys).flatMap(([key, { runtime, nix, defaults }]) =>
        runtime === undefined ? [] : [{ key, below: nix ?? defaults, runtime, effective: 'runtime' as const }],
      ),
    promote: (format) => (format === 'nix' ? '{ log.level = "debug"; }\n' : '[log]\nlevel = "debug"\n'),
    validate: (text) =>
      text.includes('=')
        ? []
        : [{ code: 'INVALID_TOML', layer: 'runtime', where: 'config.toml:1:1', message: 'no TOML' }],
    reload: async () => ({ changed: [], restart: [], shadowed: [], problems: [...problems] }),
    onChange: () => {},
    readText: (key, text) => {
      keyOf(key)
      return key === 'server.port' ? Number(text) : text
    },
  }
}
