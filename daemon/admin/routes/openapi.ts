import { z } from 'zod'
import { type OtherRoute, openApiDocument } from '../openapi.ts'
import { json } from '../reply.ts'
import { type ApiRoute, apiRoute } from '../route.ts'

export type OpenApiParts = {
  /** Every route that is served, of the API and of the gateway. */
  readonly allRoutes: () => { readonly api: readonly ApiRoute[]; readonly others: readonly OtherRoute[] }
  /** `server.external_url` */
  readonly externalUrl: () => string | undefined
}

/** What there is, for programs. */
export function openApiRoutes({ allRoutes, externalUrl }: OpenApiParts): readonly ApiRoute[] {
  let made: { readonly origin: string | undefined; readonly document: unknown } | null = null
  return [
    apiRoute({
      method: 'GET',
      path: '/api/openapi.json',
      scope: 'public',
      summary: 'This document: every route as OpenAPI 3.1',
      answer: z.looseObject({ openapi: z.string() }),
      handle: () => {
        const origin = externalUrl()
        if (made === null || made.origin !== origin) {
          const { api, others } = allRoutes()
          made = { origin, document: openApiDocument(api, others, origin) }
        }
        return json(made.document as { openapi: string }) // openApiDocument has written it
      },
    }),
  ]
}
