import { GateError } from '../../schemas/words/errors.ts'
import type { Keyring } from '../../store/sealed/keyring.ts'
import type { Database } from '../../store/sqlite/database.ts'
import { IDP_SECRETS, openIdpStore } from '../../store/sqlite/idp-store.ts'
import { KEPT_SECRETS, keptSecret } from '../../store/sqlite/kept-secret.ts'
import { openPasskeyStore } from '../../store/sqlite/passkey-store.ts'
import { resealSome } from '../../store/sqlite/reseal.ts'
import { openMark, openNote, openSignInStore, openUsedStates } from '../../store/sqlite/sign-in-store.ts'
import type { SignInStore } from '../auth/device/sign-in.ts'
import type { Mark } from '../auth/oidc/first-admin.ts'
import type { UsedStates } from '../auth/oidc/pending.ts'
import type { ProviderStore } from '../auth/oidc/providers.ts'
import type { PasskeyStore } from '../auth/passkey/passkeys.ts'
import type { Note } from '../auth/withdrawn.ts'
import type { SealedPart } from './rotation.ts'

export type SignInStores = ReturnType<typeof signInStores>

const NOTHING: readonly never[] = []

/**
 * Identity providers and sign-ins of devices in the database. At a start on a full disk there is none: nothing is found,
 * and what is to be written is refused, until it opens.
 */
export function signInStores(keyring: Keyring) {
  let open: {
    readonly database: Database
    readonly idps: ProviderStore
    readonly signIns: SignInStore
    readonly states: UsedStates
    readonly passkeys: PasskeyStore
    readonly firstAdmin: Mark
    readonly passwordNote: Note
  } | null = null
  let onOpen = (): void => {}

  function use() {
    if (open === null)
      throw new GateError(
        'STORE_UNAVAILABLE',
        'the disk of the state directory was full when Gate started; free space on it',
      )
    return open
  }

  const resealed =
    (column: Parameters<typeof resealSome>[2]): SealedPart['reseal'] =>
    (after, most) =>
      resealSome(use().database, keyring, column, after, most)

  return {
    /** The database is there. */
    opened(made: Database): void {
      open = {
        database: made,
        idps: openIdpStore(made, keyring),
        signIns: openSignInStore(made),
        states: openUsedStates(made),
        passkeys: openPasskeyStore(made),
        firstAdmin: openMark(made, 'first-admin'),
        passwordNote: openNote(made, 'auth.password_hash'),
      }
      onOpen()
    },
    isOpen: () => open !== null,
    whenOpened(listener: () => void): void {
      onOpen = listener
    },
    idps: {
      all: () => open?.idps.all() ?? NOTHING,
      put: (provider) => use().idps.put(provider),
      remove: (id) => use().idps.remove(id),
    } satisfies ProviderStore,
    signIns: {
      all: () => open?.signIns.all() ?? NOTHING,
      put: (signIn) => use().signIns.put(signIn),
      remove: (id) => use().signIns.remove(id),
    } satisfies SignInStore,
    passkeys: {
      all: () => open?.passkeys.all() ?? NOTHING,
      put: (passkey) => use().passkeys.put(passkey),
      remove: (id) => use().passkeys.remove(id),
    } satisfies PasskeyStore,
    states: {
      take: (hash, expiresAt) => use().states.take(hash, expiresAt),
      trim: (now) => use().states.trim(now),
    } satisfies UsedStates,
    firstAdmin: {
      isSet: () => use().firstAdmin.isSet(),
      set: () => use().firstAdmin.set(),
    } satisfies Mark,
    passwordNote: {
      read: () => use().passwordNote.read(),
      write: (text) => use().passwordNote.write(text),
    } satisfies Note,
    /** A secret that is made once; one for this run alone while nothing can be kept. */
    secret(name: string, make: () => string): string {
      if (open === null) return make()
      try {
        return keptSecret(open.database, keyring, name, make)
      } catch {
        return make()
      }
    },
    sealed: [
      { name: 'identity providers', reseal: resealed(IDP_SECRETS) },
      { name: 'kept secrets', reseal: resealed(KEPT_SECRETS) },
    ] satisfies readonly SealedPart[],
  }
}
