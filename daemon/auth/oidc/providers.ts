import { randomUUID } from 'node:crypto'
import { GateError } from '../../../schemas/words/errors.ts'
import type { IdentityProvider } from './provider.ts'

/** More buttons than these no page shows. */
const MOST_PROVIDERS = 50

/** What of a provider is set at run time. */
export type ProviderSettings = Pick<
  IdentityProvider,
  'name' | 'issuer' | 'clientId' | 'clientSecret' | 'scopes' | 'roles'
>

/** A provider as it is stored; `clientSecret` undefined: it is sealed with another key, and must be set again. */
export type StoredProvider = Omit<IdentityProvider, 'isDeclared' | 'clientSecret'> & {
  readonly clientSecret: string | null | undefined
}

/** What providers need from storage. */
export type ProviderStore = {
  readonly all: () => readonly StoredProvider[]
  readonly put: (provider: Omit<IdentityProvider, 'isDeclared'>) => void
  readonly remove: (id: string) => void
}

export type Providers = ReturnType<typeof createProviders>

/**
 * The identity providers: those of the configuration, and those that administrators add at run time.
 * @param declared of the configuration
 */
export function createProviders(store: ProviderStore, declared: readonly IdentityProvider[]) {
  let fixed = byId(declared)
  const added = new Map<string, StoredProvider>()
  const load = (): void => {
    for (const provider of store.all()) added.set(provider.id, provider)
  }
  load()

  /** @throws GateError OBJECT_NOT_FOUND, DECLARED */
  function changeable(id: string): StoredProvider {
    if (fixed.has(id)) {
      throw new GateError(
        'DECLARED',
        `the identity provider ${id} is of the configuration (auth.oidc.${id}); change it there`,
      )
    }
    const known = added.get(id)
    if (known === undefined) throw new GateError('OBJECT_NOT_FOUND', 'there is no identity provider of this id')
    return known
  }

  return {
    /** Those that can be used, those of the configuration first. */
    list: (): readonly IdentityProvider[] => [...fixed.values(), ...[...added.values()].flatMap(usable)],

    /** Those whose secret cannot be read. */
    unreadable: (): readonly StoredProvider[] =>
      [...added.values()].filter(({ clientSecret }) => clientSecret === undefined),

    get(id: string): IdentityProvider | undefined {
      const known = added.get(id)
      return fixed.get(id) ?? (known === undefined ? undefined : usable(known)[0])
    },

    /** @throws GateError TOO_MANY_ENTRIES, STORE_UNAVAILABLE */
    add(settings: ProviderSettings): IdentityProvider {
      if (added.size >= MOST_PROVIDERS)
        throw new GateError('TOO_MANY_ENTRIES', `there are ${MOST_PROVIDERS} identity providers already`)
      const provider = { ...settings, id: randomUUID() }
      store.put(provider)
      added.set(provider.id, provider)
      return { ...provider, isDeclared: false }
    },

    /**
     * @param settings without a secret: it stays
     * @throws GateError OBJECT_NOT_FOUND, DECLARED, BAD_REQUEST, STORE_UNAVAILABLE
     */
    change(
      id: string,
      { clientSecret, ...settings }: Omit<ProviderSettings, 'clientSecret'> & { readonly clientSecret?: string | null },
    ): IdentityProvider {
      const before = changeable(id)
      // a secret goes to the issuer that it was given for, and to no other
      if (clientSecret === undefined && before.clientSecret !== null && before.issuer !== settings.issuer)
        throw new GateError('BAD_REQUEST', 'the secret is for another issuer: send client_secret as well', {
          param: 'client_secret',
        })
      const secret = clientSecret === undefined ? before.clientSecret : clientSecret
      if (secret === undefined)
        throw new GateError('BAD_REQUEST', 'the secret cannot be read any more: send client_secret again', {
          param: 'client_secret',
        })
      const provider = { ...settings, id, clientSecret: secret }
      store.put(provider)
      added.set(id, provider)
      return { ...provider, isDeclared: false }
    },

    /** @throws GateError OBJECT_NOT_FOUND, DECLARED, STORE_UNAVAILABLE */
    remove(id: string): StoredProvider {
      const before = changeable(id)
      store.remove(id)
      added.delete(id)
      return before
    },

    /** Takes over what is stored, once it can be read. */
    load,

    /** Takes over the configuration. */
    declare(next: readonly IdentityProvider[]): void {
      fixed = byId(next)
    },
  }
}

const byId = (providers: readonly IdentityProvider[]): ReadonlyMap<string, IdentityProvider> =>
  new Map(providers.map((provider) => [provider.id, provider]))

function usable(provider: StoredProvider): readonly IdentityProvider[] {
  const { clientSecret } = provider
  return clientSecret === undefined ? [] : [{ ...provider, clientSecret, isDeclared: false }]
}
