import { z } from 'zod'

/** GET /auth/providers: how a person can sign in here. */
export const providerList = z.strictObject({
  providers: z.array(
    z.strictObject({
      id: z.string(),
      name: z.string(),
      /** Where a browser begins to sign in there. */
      url: z.string(),
    }),
  ),
})
export type ProviderList = z.output<typeof providerList>
