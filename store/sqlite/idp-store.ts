import { z } from 'zod'
import type { ProviderStore, StoredProvider } from '../../daemon/auth/oidc/providers.ts'
import { ROLES } from '../../schemas/words/roles.ts'
import type { Keyring } from '../sealed/keyring.ts'
import type { Place } from '../sealed/sealed.ts'
import type { Database } from './database.ts'
import { patiently } from './patiently.ts'
import type { SealedColumn } from './reseal.ts'

type Row = {
  readonly id: string
  readonly name: string
  readonly issuer: string
  readonly client_id: string
  readonly sealed_secret: Buffer | null
  readonly scopes: string
  readonly roles: string
}

const rolesColumn = z.strictObject({
  claim: z.string(),
  groups: z.array(z.strictObject({ group: z.string(), role: z.enum(ROLES) })),
  otherwise: z.enum([...ROLES, 'none']),
})
/** Rules that cannot be read, such as those of a newer Gate, let nobody in. */
const NOBODY = { claim: '', groups: [], otherwise: 'none' } as const

/** For a rotation of keys. @see resealSome */
export const IDP_SECRETS: SealedColumn = {
  table: 'idp',
  column: 'sealed_secret',
  keys: ['id'],
  placeOf: (id = '') => placeOf(id),
}

/** Identity providers in the table `idp`. @param keyring that seals their secrets @throws GateError STORE_UNAVAILABLE */
export function openIdpStore(database: Database, keyring: Pick<Keyring, 'seal' | 'unseal'>): ProviderStore {
  const all = database.prepare<[], Row>('SELECT * FROM idp ORDER BY rowid')
  const put = database.prepare(
    `INSERT INTO idp (id, name, issuer, client_id, sealed_secret, scopes, roles) VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (id) DO UPDATE SET name = excluded.name, issuer = excluded.issuer, client_id = excluded.client_id,
       sealed_secret = excluded.sealed_secret, scopes = excluded.scopes, roles = excluded.roles`,
  )
  const remove = database.prepare('DELETE FROM idp WHERE id = ?')

  return {
    all: () => all.all().map((row) => providerOf(row, keyring)),
    put: ({ id, name, issuer, clientId, clientSecret, scopes, roles }) => {
      const sealed = clientSecret === null ? null : keyring.seal(placeOf(id), clientSecret)
      patiently(database, () => put.run(id, name, issuer, clientId, sealed, scopes, JSON.stringify(roles)))
    },
    remove: (id) => {
      patiently(database, () => remove.run(id))
    },
  }
}

const placeOf = (id: string): Place => ['idp', id]

function providerOf(row: Row, keyring: Pick<Keyring, 'unseal'>): StoredProvider {
  const { id, name, issuer, client_id: clientId, sealed_secret: sealed, scopes } = row
  const clientSecret = sealed === null ? null : secretIn(sealed, placeOf(id), keyring)
  return {
    id,
    name,
    issuer,
    clientId,
    clientSecret,
    scopes,
    roles: rolesColumn.safeParse(jsonIn(row.roles)).data ?? NOBODY,
  }
}

/** undefined while the keyring cannot be opened, or when it is not the one that sealed it. */
function secretIn(sealed: Buffer, place: Place, keyring: Pick<Keyring, 'unseal'>): string | undefined {
  try {
    return keyring.unseal(place, sealed) ?? undefined
  } catch {
    return undefined
  }
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
