/** What operators can be told of. */
export const ALERT_EVENTS = [
  'budget',
  'backend',
  'certificate',
  'disk',
  'upstream',
  'break-glass',
  'audit',
  'test',
] as const
export type AlertEvent = (typeof ALERT_EVENTS)[number]
