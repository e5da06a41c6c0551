import { createHmac } from 'node:crypto'
import type { AlertEvent } from '../../schemas/words/alert-events.ts'
import type { Alert } from './alert.ts'

/** Where alerts go: a webhook, which checks the signature, or a topic of ntfy. */
export type AlertDestination = {
  readonly url: string
  /** Of which alerts; empty: of all. */
  readonly events: readonly AlertEvent[]
} & (
  | { readonly kind: 'webhook'; readonly secret: string }
  | { readonly kind: 'ntfy'; readonly token: string | undefined }
)

/** An alert and when it was raised, ISO 8601. */
export type RaisedAlert = Alert & { readonly at: string }

export type AlertMessage = { readonly body: string; readonly headers: Readonly<Record<string, string>> }

/**
 * What is posted. The signature of a webhook is `t=SECONDS,v1=HEX`: HMAC-SHA256 of "SECONDS.BODY" with the secret, so
 * that no one else can make one, and an old one is told by its time.
 * @param now Unix milliseconds
 */
export function messageOf(alert: RaisedAlert, destination: AlertDestination, now: number): AlertMessage {
  if (destination.kind === 'ntfy') return ofNtfy(alert, destination.token)
  const body = JSON.stringify(alert)
  const seconds = Math.floor(now / 1_000)
  const signature = createHmac('sha256', destination.secret).update(`${seconds}.${body}`).digest('hex')
  return { body, headers: { 'content-type': 'application/json', 'x-gate-signature': `t=${seconds},v1=${signature}` } }
}

/** @see https://docs.ntfy.sh/publish/ */
function ofNtfy({ event, state, severity, message }: RaisedAlert, token: string | undefined): AlertMessage {
  const isOver = state === 'over'
  const urgent = severity === 'critical' ? '5' : '4'
  return {
    body: message,
    headers: {
      'content-type': 'text/plain; charset=utf-8',
      title: `Gate: ${event}${isOver ? ' (over)' : ''}`,
      priority: isOver ? '3' : urgent,
      tags: isOver ? 'white_check_mark' : 'warning',
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    },
  }
}
