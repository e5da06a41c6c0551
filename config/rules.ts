import type { Config } from '../schemas/config/config.ts'
import { type KeyNode, nodeAt } from '../schemas/config/keys.ts'
import { durationMs } from '../schemas/config/values.ts'
import { isLoopback } from '../schemas/words/address.ts'
import { isOpenMode } from '../schemas/words/auth-modes.ts'
import { isBelow } from '../schemas/words/base-url.ts'
import { environmentSegment } from '../schemas/words/key-names.ts'
import { keyPathText } from '../schemas/words/key-path.ts'
import { nearest } from '../schemas/words/nearest.ts'
import { defaultBaseUrl, exampleBaseUrl } from '../schemas/words/providers.ts'
import { leafPaths, valueAt } from '../syntax/tree.ts'
import { unsignedAlerts } from './alert-rules.ts'
import { certificateConflicts } from './certificate-rules.ts'
import { certificateSource } from './certificate-source.ts'
import type { Conflict } from './conflict.ts'
import { repeatedRelayedNames } from './relay-rules.ts'

/**
 * Rules over several keys. None spans a key that waits for a restart and one that does not:
 * otherwise what is in force could break a rule that the configuration keeps.
 */
export function conflicts(config: Config, tree: KeyNode): Conflict[] {
  return [
    ...longWaits(config, tree),
    ...unsignedAlerts(config),
    ...openToAll(config),
    ...openDoors(config),
    ...certificateConflicts(config),
    ...missingBaseUrls('upstreams', config.upstreams),
    ...missingBaseUrls('backends', config.backends),
    ...invalidBaseUrls('upstreams', config.upstreams),
    ...invalidBaseUrls('backends', config.backends),
    ...groupsWithoutAgent(config),
    ...takenNames(config),
    ...unknownTargets(config),
    ...targetsElsewhere(config),
    ...conflictingNames('upstreams', config.upstreams),
    ...conflictingNames('backends', config.backends),
    ...namesByCase(config),
    ...repeatedRelayedNames(config),
  ]
}

/** A longer timer would fire at once. */
const LONGEST_MS = 2 ** 31 - 1

function longWaits(config: Config, tree: KeyNode): Conflict[] {
  return [...leafPaths(config)]
    .filter((path) => nodeAt(tree, path)?.meta.timer && durationMs(String(valueAt(config, path))) > LONGEST_MS)
    .map((path) => ({
      code: 'INVALID_VALUE',
      path,
      message: `${keyPathText(path)} is longer than 24 days`,
      hint: () => 'write a shorter time',
      without: path,
    }))
}

function openToAll(config: Config): Conflict[] {
  const { auth, server, tls } = config
  if (!isOpenMode(auth.mode)) return []
  const hasTls = certificateSource(config) !== 'none' || tls.http_port !== undefined
  const open: readonly (readonly [key: string, host: string | undefined])[] = [
    ['server.host', server.host],
    ...(hasTls ? ([['tls.host', tls.host]] as const) : []),
  ]
  const [key, host] = open.find(([, at]) => at === undefined || !isLoopback(at)) ?? []
  if (key === undefined) return []
  return [
    {
      code: 'OPEN_TO_ALL',
      path: ['auth', 'mode'],
      message: `auth.mode is "none" while ${key} is ${host ?? 'not set'}, which others can reach`,
      hint: () => `set auth.mode to "token", or ${key} to 127.0.0.1`,
      without: ['auth', 'mode'],
    },
  ]
}

/** The password of the emergency is chosen by the operator: there is no usual one. */
function openDoors({ auth }: Config): Conflict[] {
  if (!auth.break_glass || auth.bootstrap.password !== undefined) return []
  return [
    {
      code: 'MISSING_KEY',
      path: ['auth', 'break_glass'],
      message: 'auth.break_glass is true, and auth.bootstrap.password is missing',
      hint: () => 'set BOOTSTRAP_PASSWORD, at least 8 characters, or remove BREAK_GLASS',
      without: ['auth', 'break_glass'],
    },
  ]
}

type Upstreams = Config['upstreams']

function missingBaseUrls(map: 'upstreams' | 'backends', upstreams: Upstreams): Conflict[] {
  return Object.entries(upstreams)
    .filter(([, { provider, base_url }]) => provider !== 'echo' && (base_url ?? defaultBaseUrl(provider)) === undefined)
    .map(([name, { provider }]) => ({
      code: 'MISSING_BASE_URL',
      path: [map, name],
      message: `${map}.${name}.base_url is missing, and provider ${provider} has no default one`,
      hint: () => `set ${map}.${name}.base_url, such as "${exampleBaseUrl(provider)}"`,
      without: [map, name],
    }))
}

/** What the pattern of the schema lets through and no URL parser takes, such as a port beyond 65535. */
function invalidBaseUrls(map: 'upstreams' | 'backends', upstreams: Upstreams): Conflict[] {
  return Object.entries(upstreams)
    .filter(([, { base_url }]) => base_url !== undefined && !URL.canParse(base_url))
    .map(([name]) => ({
      code: 'INVALID_VALUE',
      path: [map, name, 'base_url'],
      message: `${map}.${name}.base_url is not a valid URL`,
      hint: () => 'check host and port; write http(s)://host[:port][/path]',
      without: [map, name],
    }))
}

/** Only an agent can stop the backend that has to make room. */
function groupsWithoutAgent({ backends }: Config): Conflict[] {
  return Object.entries(backends)
    .filter(([, { group, agent }]) => group !== undefined && agent === undefined)
    .map(([name]) => ({
      code: 'MISSING_AGENT',
      path: ['backends', name, 'group'],
      message: `backends.${name} is in a group, but has no agent that could stop it for the others`,
      hint: () => `set backends.${name}.agent to the socket of its gate-agent, or remove group`,
      without: ['backends', name],
    }))
}

/** A backend is an upstream of the same name. */
function takenNames({ upstreams, backends }: Config): Conflict[] {
  const taken = new Map(Object.keys(upstreams).map((name) => [environmentSegment(name), name]))
  return Object.keys(backends).flatMap((name) => {
    const other = taken.get(environmentSegment(name))
    if (other === undefined) return []
    return [
      {
        code: 'CONFLICTING_NAMES' as const,
        path: ['backends', name],
        message: `backends.${name} and upstreams.${other} have the same name, and a backend is an upstream`,
        hint: () => 'rename one of them',
        without: ['backends', name],
      },
    ]
  })
}

function unknownTargets({ upstreams, backends, models }: Config): Conflict[] {
  const known = [...Object.keys(upstreams), ...Object.keys(backends)]
  const names = new Set(known)
  return Object.entries(models).flatMap(([alias, { targets }]) =>
    targets.flatMap(({ upstream }, index) => {
      if (names.has(upstream)) return []
      return [
        {
          code: 'UNKNOWN_UPSTREAM' as const,
          path: ['models', alias, 'targets', String(index), 'upstream'],
          message: `${keyPathText(['models', alias])} names the unknown upstream "${upstream}"`,
          hint: () => nearOrAll(upstream, known),
          without: ['models', alias],
        },
      ]
    }),
  )
}

/** The key of an upstream goes where the upstream is, not where a model says: config.toml may name models. */
function targetsElsewhere({ upstreams, backends, models }: Config): Conflict[] {
  return Object.entries(models).flatMap(([alias, { targets }]) =>
    targets.flatMap(({ upstream: name, base_url }, index) => {
      const upstream = upstreams[name] ?? backends[name]
      const base = upstream?.base_url ?? (upstream === undefined ? undefined : defaultBaseUrl(upstream.provider))
      if (base_url === undefined || base === undefined || isBelow(base, base_url)) return []
      return [
        {
          code: 'INVALID_VALUE' as const,
          path: ['models', alias, 'targets', String(index), 'base_url'],
          message: `${keyPathText(['models', alias])} points to ${base_url}, which is not below ${base} of upstream "${name}"`,
          hint: () => 'make an upstream of its own for another place',
          without: ['models', alias],
        },
      ]
    }),
  )
}

function nearOrAll(name: string, known: readonly string[]): string {
  const near = nearest(name, known)
  const more = known.length > 20 ? ', …' : ''
  return near === undefined ? `known upstreams: ${known.slice(0, 20).join(', ')}${more}` : `did you mean "${near}"?`
}

/** Clients and people confuse such names. */
function namesByCase({ models }: Config): Conflict[] {
  const seen = new Map<string, string>()
  return Object.keys(models).flatMap((name) => {
    const other = seen.get(name.toLowerCase())
    seen.set(name.toLowerCase(), name)
    if (other === undefined) return []
    return [
      {
        code: 'CONFLICTING_NAMES' as const,
        path: ['models', name],
        message: `${keyPathText(['models', name])} and ${keyPathText(['models', other])} differ only in upper and lower case`,
        hint: () => 'rename one of them',
        without: ['models', name],
      },
    ]
  })
}

/** Two names that are the same in the environment would make its variables ambiguous. */
function conflictingNames(map: string, entries: Readonly<Record<string, unknown>>): Conflict[] {
  const seen = new Map<string, string>()
  return Object.keys(entries).flatMap((name) => {
    const other = seen.get(environmentSegment(name))
    seen.set(environmentSegment(name), name)
    if (other === undefined) return []
    return [
      {
        code: 'CONFLICTING_NAMES' as const,
        path: [map, name],
        message: `${map}.${name} and ${map}.${other} have the same name in the environment`,
        hint: () => 'rename one of them',
        without: [map, name],
      },
    ]
  })
}
