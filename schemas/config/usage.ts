import { z } from 'zod'
import { modelName, retention } from './values.ts'

/** What is kept of requests, and how long. */
export const usage = z.strictObject({
  retention: retention('How long the usage log has a row for each request.').default('90d'),
  totals_retention: retention('How long usage by hour and day is kept.').default('1825d'),
  keep_text: z
    .strictObject({
      keys: z
        .array(z.string().min(1))
        .default([])
        .meta({ description: 'Ids or names of keys whose prompts and answers are kept.' }),
      models: z
        .array(modelName)
        .default([])
        .meta({ description: 'Models, as clients ask for them, whose prompts and answers are kept.' }),
    })
    .prefault({})
    .meta({
      description: 'Prompts and answers that are kept, sealed, for people with the scope admin; none unless named.',
    }),
  text_retention: retention('How long prompts and answers are kept.').default('7d'),
})
