import { z } from 'zod'
import { alertDestination } from '../config/alerts.ts'
import { secret } from './values.ts'

const { enabled, kind, events } = alertDestination.shape

/** One entry of `alerts`: who is told. */
export const alert = z.strictObject({
  enabled,
  kind,
  url: secret(
    'URL of the webhook, or of the topic of ntfy. Unless gate.network says otherwise, it may be at any public address.',
  ).optional(),
  secret: secret(
    'What the signature of a webhook is made with, 16 characters or more; a webhook needs one.',
  ).optional(),
  token: secret('Access token of ntfy.').optional(),
  events,
})
