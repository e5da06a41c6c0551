import { PROVIDERS } from '../schemas/words/providers.ts'

const LEVEL = 'GATE_LOG__LEVEL sets the level of the log'

/** Variables of the systems that people come from, which do nothing here: what to write instead. */
const FOREIGN: Readonly<Record<string, string>> = {
  RUST_LOG: LEVEL,
  AISOPOD_LOG: LEVEL,
}

/** The variables that are set and do nothing, each with what to do instead. */
export function foreignVariables(env: Readonly<Record<string, string | undefined>>): readonly [string, string][] {
  return Object.entries(FOREIGN).filter(([name]) => env[name] !== undefined && env[name] !== '')
}

/** What was meant by a name that is near no variable of ours: `GATE_LOG=info`, `GATE_OPENAI_API_KEY`. */
export function meantByForeign(name: string): string | undefined {
  if (name === 'GATE_LOG') return 'GATE_LOG__LEVEL'
  const [, provider = '', file = ''] = /^GATE_(.+)_API_KEY(_FILE)?$/.exec(name) ?? []
  const isKnown = PROVIDERS.some((known) => known.toUpperCase().replaceAll('-', '_') === provider)
  return isKnown ? `GATE_UPSTREAMS__${provider}__API_KEY${file}` : undefined
}
