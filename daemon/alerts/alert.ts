import type { AlertEvent } from '../../schemas/words/alert-events.ts'

/** Something that operators want to be told of. */
export type Alert = {
  readonly event: AlertEvent
  /** What it is about, such as the name of a budget; (event, subject) is one thing, of which only changes are told. */
  readonly subject: string
  /** `over`: what was told before has ended. `once`: it has no end, and is told each time. */
  readonly state: 'on' | 'over' | 'once'
  /** Which of several, such as `75`, `95`, `100` of a budget; another one is news. Empty where there is one alone. */
  readonly level: string
  readonly severity: 'warning' | 'critical'
  /** A sentence for people; no secret, nothing of a prompt. */
  readonly message: string
}

/** Hands over an alert. It never throws, waits for nothing, and may be called as often as one likes. */
export type TellAlert = (alert: Alert) => void
