import { z } from 'zod'

/** One entry of `categories`: what virtual models are grouped by. */
export const category = z.strictObject({
  description: z.string().max(1_000).default('').meta({ description: 'What its models are for.' }),
})

export const CATEGORIES_DESCRIPTION = 'Categories of virtual models that have a description, or no models yet, by name.'
