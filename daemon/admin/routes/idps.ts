import { type IdpInfo, type IdpRequest, idpInfo, idpList, idpRequest } from '../../../schemas/api/idps.ts'
import { GateError } from '../../../schemas/words/errors.ts'
import type { IdentityProvider } from '../../auth/oidc/provider.ts'
import type { ProviderSettings, Providers, StoredProvider } from '../../auth/oidc/providers.ts'
import type { RelyingParty } from '../../auth/oidc/relying-party.ts'
import { json } from '../reply.ts'
import { type ApiRoute, apiRoute } from '../route.ts'

export type IdpParts = {
  readonly providers: Providers
  readonly relyingParty: Pick<RelyingParty, 'forget'>
  /** Where providers send browsers back to. */
  readonly redirectUri: () => string
}

/** `/api/admin/idps`: the identity providers that people sign in with. */
export function idpRoutes({ providers, relyingParty, redirectUri }: IdpParts): readonly ApiRoute[] {
  const infoOf = (provider: IdentityProvider | StoredProvider): IdpInfo => shown(provider, redirectUri())
  const listed = () => [...providers.list(), ...providers.unreadable()]

  function found(id: string | undefined): IdentityProvider | StoredProvider {
    const provider = listed().find((one) => one.id === id)
    if (provider === undefined) throw new GateError('OBJECT_NOT_FOUND', 'there is no identity provider of this id')
    return provider
  }

  return [
    apiRoute({
      method: 'GET',
      path: '/api/admin/idps',
      scope: 'admin',
      summary: 'Lists the identity providers',
      answer: idpList,
      handle: () => json({ idps: listed().map(infoOf) }),
    }),
    apiRoute({
      method: 'POST',
      path: '/api/admin/idps',
      scope: 'admin',
      summary: 'Adds an identity provider',
      status: 201,
      audit: 'idp.create',
      body: idpRequest,
      answer: idpInfo,
      handle: ({ body }) => {
        const made = infoOf(providers.add({ ...settingsOf(body), clientSecret: body.client_secret ?? null }))
        return json(made, { change: { object: `idp:${made.id}`, new: made } })
      },
    }),
    apiRoute({
      method: 'GET',
      path: '/api/admin/idps/{id}',
      scope: 'admin',
      summary: 'Shows an identity provider',
      answer: idpInfo,
      handle: ({ params }) => json(infoOf(found(params['id']))),
    }),
    apiRoute({
      method: 'PUT',
      path: '/api/admin/idps/{id}',
      scope: 'admin',
      summary: 'Changes an identity provider; a secret that is left out stays',
      audit: 'idp.update',
      body: idpRequest,
      answer: idpInfo,
      handle: ({ params, body }) => {
        const before = infoOf(found(params['id']))
        const { client_secret: clientSecret } = body
        const secret = clientSecret === undefined ? {} : { clientSecret }
        const after = infoOf(providers.change(before.id, { ...settingsOf(body), ...secret }))
        relyingParty.forget(after.id)
        return json(after, { change: { object: `idp:${after.id}`, old: before, new: after } })
      },
    }),
    apiRoute({
      method: 'DELETE',
      path: '/api/admin/idps/{id}',
      scope: 'admin',
      summary: 'Removes an identity provider; its people stay, and cannot sign in by it any more',
      audit: 'idp.delete',
      answer: idpInfo,
      handle: ({ params }) => {
        const before = infoOf(found(params['id']))
        providers.remove(before.id)
        relyingParty.forget(before.id)
        return json(before, { change: { object: `idp:${before.id}`, old: before } })
      },
    }),
  ]
}

function settingsOf({
  name,
  issuer,
  client_id: clientId,
  scopes,
  roles,
}: IdpRequest): Omit<ProviderSettings, 'clientSecret'> {
  return { name, issuer, clientId, scopes, roles }
}

function shown(provider: IdentityProvider | StoredProvider, redirectUri: string): IdpInfo {
  const { id, name, issuer, clientId, clientSecret, scopes, roles } = provider
  return {
    id,
    name,
    issuer,
    client_id: clientId,
    has_secret: clientSecret !== null,
    scopes,
    roles: { ...roles, groups: [...roles.groups] },
    declared: 'isDeclared' in provider && provider.isDeclared,
    redirect_uri: redirectUri,
    ...(clientSecret === undefined && { problem: 'its secret was sealed with another key: set it again' }),
  }
}
