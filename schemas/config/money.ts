import { z } from 'zod'
import { AMOUNT } from '../words/money.ts'
import { LIMIT_SCOPE_PATTERN, SCOPE_PATTERN } from '../words/payer-scope.ts'
import { WINDOWS } from '../words/windows.ts'

// What requests may cost, and how many there may be. Spec and configuration share it.

const SCOPES_SAID =
  'global; key:NAME, user:NAME, team:NAME, model:NAME or provider:NAME; each-key, each-user, each-team, each-model or each-provider; attached: the keys that name it'
const LIMIT_SCOPES_SAID =
  'global; key:NAME, user:NAME, team:NAME or model:NAME; each-key, each-user, each-team, each-model or each-ip; attached: the keys that name it'

const amount = (description: string) =>
  z.string().regex(AMOUNT, 'write an amount and its currency such as "200 USD"').meta({ description })

const isZone = (zone: string): boolean => {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone })
    return true
  } catch {
    return false
  }
}

/** What a backend costs while it answers. */
export const pricePerHour = amount(
  'What an hour costs in which it answers requests, which share it; its idle time costs nothing. Absent: nothing.',
).optional()

/** One entry of `budgets`: money per window. */
export const budget = z.strictObject({
  limit: amount('Money per window.'),
  window: z.enum(WINDOWS).meta({ description: 'Calendar window, in the zone.' }),
  zone: z
    .string()
    .regex(
      /^(?:UTC|[A-Z][A-Za-z]{1,31}(?:\/[A-Za-z0-9_+-]{1,31}){1,2})$/,
      'write the name of a time zone such as "Europe/Berlin"',
    )
    .refine(isZone, 'write the name of a time zone such as "Europe/Berlin"')
    .default('UTC')
    .meta({ description: 'Time zone in which the window begins, such as "Europe/Berlin".' }),
  scope: z
    .string()
    .regex(SCOPE_PATTERN, `write one of: ${SCOPES_SAID}`)
    .default('global')
    .meta({ description: `Whose spending it counts: ${SCOPES_SAID}.` }),
  soft: z.boolean().default(false).meta({ description: 'Once it is spent, requests are warned of it, and go on.' }),
  overdraft: amount('What may be spent beyond the limit before requests are refused.').default('0 USD'),
  unknown_price: z.enum(['count-as-0', 'refuse']).default('count-as-0').meta({
    description: 'What becomes of requests to models whose price is not known.',
  }),
})

/** One entry of `limits`: how many requests and tokens there may be. */
export const limit = z.strictObject({
  requests_per_minute: z.int().min(1).optional().meta({ description: 'Requests per minute; no limit when absent.' }),
  tokens_per_minute: z
    .int()
    .min(1)
    .optional()
    .meta({ description: 'Tokens of prompts and answers per minute; no limit when absent.' }),
  concurrent: z.int().min(1).optional().meta({ description: 'Requests at a time; no limit when absent.' }),
  scope: z
    .string()
    .regex(LIMIT_SCOPE_PATTERN, `write one of: ${LIMIT_SCOPES_SAID}`)
    .default('each-key')
    .meta({ description: `Whose requests it counts: ${LIMIT_SCOPES_SAID}.` }),
})
