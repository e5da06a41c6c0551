import { providerList } from '../../../schemas/api/providers.ts'
import { json } from '../reply.ts'
import { type ApiRoute, apiRoute } from '../route.ts'

/** Where people can sign in: what the page of the sign-in shows, and checks of health ask for. */
export function providerRoutes(): readonly ApiRoute[] {
  return [
    apiRoute({
      method: 'GET',
      path: '/auth/providers',
      scope: 'public',
      summary: 'Lists the identity providers that people can sign in with',
      answer: providerList,
      handle: () => json({ providers: [] }),
    }),
  ]
}
