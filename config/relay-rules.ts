import type { Config } from '../schemas/config/config.ts'
import { repeatedNames } from '../schemas/config/relay-backend.ts'
import type { Conflict } from './conflict.ts'

/** The first of two places would get all visitors, and the other one none. */
export function repeatedRelayedNames({ relay }: Config): Conflict[] {
  return repeatedNames(relay).map(({ name, path: [list = '', ...rest] }) => ({
    code: 'INVALID_VALUE',
    path: ['relay', list, ...rest].map(String),
    message: `relay.${list} has "${name}", which is relayed to another place too: visitors of a name go to one`,
    hint: () => 'keep it where its visitors should go, and remove the other',
    without: ['relay', String(list)],
  }))
}
