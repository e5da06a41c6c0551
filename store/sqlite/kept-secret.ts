import type { Keyring } from '../sealed/keyring.ts'
import type { Place } from '../sealed/sealed.ts'
import type { Database } from './database.ts'
import { patiently } from './patiently.ts'
import type { SealedColumn } from './reseal.ts'

/** For a rotation of keys. @see resealSome */
export const KEPT_SECRETS: SealedColumn = {
  table: 'kept_secret',
  column: 'sealed',
  keys: ['name'],
  placeOf: (name = '') => placeOf(name),
}

/**
 * A secret that is made once and kept, sealed, in the table `kept_secret`: what signs access tokens, where the
 * configuration says nothing.
 * @param make a new one, for the first time, and when the one before cannot be read any more
 * @throws GateError STORE_UNAVAILABLE
 */
export function keptSecret(
  database: Database,
  keyring: Pick<Keyring, 'seal' | 'unseal'>,
  name: string,
  make: () => string,
): string {
  const known = database
    .prepare<[string], { readonly sealed: Buffer }>('SELECT sealed FROM kept_secret WHERE name = ?')
    .get(name)
  const text = known === undefined ? null : keyring.unseal(placeOf(name), known.sealed)
  if (text !== null) return text
  const made = make()
  const put = database.prepare('INSERT OR REPLACE INTO kept_secret (name, sealed) VALUES (?, ?)')
  patiently(database, () => put.run(name, keyring.seal(placeOf(name), made)))
  return made
}

const placeOf = (name: string): Place => ['kept_secret', name]
