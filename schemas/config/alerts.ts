import { z } from 'zod'
import { ALERT_EVENTS } from '../words/alert-events.ts'
import { headerSecret, httpUrl, secret } from './values.ts'

/** Who is told of what operators want to know. */
export const alertDestination = z.strictObject({
  enabled: z.boolean().default(true).meta({ description: 'Whether it is told.' }),
  kind: z.enum(['webhook', 'ntfy']).meta({
    description: 'webhook: JSON by POST, with a signature; ntfy: a message to a topic of ntfy.',
  }),
  url: httpUrl.meta({
    description: 'URL of the webhook, or of the topic, such as "https://ntfy.example.org/gate"; it may hold a secret.',
    secret: true,
  }),
  secret: secret.min(16, 'use at least 16 characters').optional().meta({
    description: 'What the signature of a webhook is made with; a webhook needs one.',
    secret: true,
  }),
  token: headerSecret.optional().meta({ description: 'Access token of ntfy.', secret: true }),
  events: z.array(z.enum(ALERT_EVENTS)).default([]).meta({ description: 'What it is told of; empty: everything.' }),
})
