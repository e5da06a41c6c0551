import type { ConfigProblem } from '../schemas/config/layers.ts'
import type { Path } from '../syntax/tree.ts'
import { BOOLEANS, type Found } from './variable-value.ts'

/**
 * Variables of a system that people come from, each taken as it is and with `GATE_` before it: its names for the
 * address and the certificate of the gateway, for the key of what is sealed, and for the way in when no other is left.
 * Everything else is a key's own variable, `GATE_A__B`.
 */
const SEED_VARIABLES = [
  'ACME_DOMAIN',
  'TLS_CERT_PATH',
  'TLS_KEY_PATH',
  'LISTEN_ADDR',
  'EXTERNAL_URL',
  'DB_ENCRYPTION_KEY',
  'BREAK_GLASS',
  'BOOTSTRAP_USER',
  'BOOTSTRAP_PASSWORD',
] as const
type SeedVariable = (typeof SEED_VARIABLES)[number]

type Environment = Readonly<Record<string, string | undefined>>
type Entry = readonly [path: Path, value: unknown]

/** The keys that each of them sets. @returns what is wrong with the text instead, and what to write */
const MEANINGS: Readonly<Record<SeedVariable, (text: string, env: Environment) => readonly Entry[] | string>> = {
  ACME_DOMAIN: (text) => [
    [['letsencrypt', 'enabled'], true],
    [['letsencrypt', 'domains'], text.split(/[\s,]+/).filter((name) => name !== '')],
  ],
  TLS_CERT_PATH: (text) => [[['tls', 'files', 'cert'], text]],
  TLS_KEY_PATH: (text) => [[['tls', 'files', 'key'], text]],
  LISTEN_ADDR: (text, env) => {
    const [, host = '', digits = ''] = /^(\[[^\]]*\]|[^:]*):(\d{1,5})$/.exec(text) ?? []
    if (digits === '') return 'write host:port, such as "0.0.0.0:443"'
    // there, one address is for HTTPS when there is a certificate, and for HTTP else
    const [table, port] = asksForTls(env) ? ['tls', 'https_port'] : ['server', 'port']
    return [
      [[table, 'host'], host === '' ? '0.0.0.0' : host],
      [[table, port], Number(digits)],
    ]
  },
  DB_ENCRYPTION_KEY: (text) => [[['secrets', 'encryption_key'], text]],
  EXTERNAL_URL: (text) => {
    const url = URL.parse(text)
    const isOrigin = url !== null && url.pathname === '/' && url.search === '' && url.hash === '' && url.username === ''
    return [[['server', 'external_url'], isOrigin ? url.origin : text]]
  },
  BREAK_GLASS: (text) => {
    const isOn = BOOLEANS.get(text.toLowerCase())
    return isOn === undefined ? 'write true or false' : [[['auth', 'break_glass'], isOn]]
  },
  BOOTSTRAP_USER: (text) => [[['auth', 'bootstrap', 'user'], text]],
  BOOTSTRAP_PASSWORD: (text) => [[['auth', 'bootstrap', 'password'], text]],
}

const WRONG: Partial<Record<SeedVariable, string>> = { BREAK_GLASS: 'is not a boolean' }

const TLS_VARIABLES = [
  ...['ACME_DOMAIN', 'TLS_CERT_PATH', 'TLS_KEY_PATH'].flatMap((name) => [name, `GATE_${name}`]),
  'GATE_TLS__FILES__CERT',
  'GATE_TLS__FILES__KEY',
]
const TLS_SWITCHES = ['GATE_LETSENCRYPT__ENABLED', 'GATE_TLS__INTERNAL_CA']

/** Whether the environment asks for certificates: what the other layers say does not move an address. */
function asksForTls(env: Environment): boolean {
  const isOn = (name: string) => ['true', '1'].includes(env[name] ?? '')
  return TLS_VARIABLES.some((name) => (env[name] ?? '') !== '') || TLS_SWITCHES.some(isOn)
}

/** Whether a variable is one of them. */
export function isSeedVariable(name: string): boolean {
  return SEED_VARIABLES.some((known) => name === known || name === `GATE_${known}`)
}

/** What those of the environment say, an empty one being not set. */
export function seedValues(env: Environment): (Found | ConfigProblem)[] {
  return SEED_VARIABLES.flatMap((known) =>
    [known, `GATE_${known}`].flatMap((name): (Found | ConfigProblem)[] => {
      const text = (env[name] ?? '').trim()
      if (text === '') return []
      const entries = MEANINGS[known](text, env)
      if (typeof entries === 'string')
        return [
          {
            code: 'INVALID_VALUE',
            layer: 'env',
            where: name,
            message: WRONG[known] ?? 'is not an address',
            hint: entries,
          },
        ]
      return entries.map(([path, value]) => ({ path, value, source: name }))
    }),
  )
}
