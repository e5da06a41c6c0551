import type { Send } from '../../pki/acme/request.ts'
import { alarmAt } from '../../pki/acme/schedule.ts'
import type { CertificateStatus, TlsAlarm } from '../../schemas/admin-tls.ts'
import type { Log } from '../../schemas/words/log.ts'
import type { SourceStatus } from './source.ts'

type Alarm = NonNullable<CertificateStatus['alarm']>

export type AlarmParts = {
  /** Unix milliseconds. */
  readonly now: () => number
  readonly log: Log
  readonly send: Send
  /** Where alarms are posted to; undefined: nowhere. */
  readonly webhook: () => string | undefined
}

/** Alarms that could not be told yet, one for each certificate; more than this are not kept. */
const MAX_UNTOLD = 1_000
/** Attempts to tell one, at one for each check. */
const MAX_ATTEMPTS = 60

/**
 * What is wrong with certificates, since when. Each alarm is logged and posted once when it begins, becomes another, or
 * ends.
 */
export function createAlarms({ now, log, send, webhook }: AlarmParts) {
  const active = new Map<string, Alarm>()
  const untold = new Map<string, { readonly alarm: TlsAlarm; attempts: number }>()

  function update(status: SourceStatus): void {
    const before = active.get(status.name)
    const found = alarmOf(status, now())
    if (found?.kind === before?.kind) return
    if (found === undefined) active.delete(status.name)
    else active.set(status.name, { ...found, since: new Date(now()).toISOString() })
    const { name, source } = status
    if (found === undefined) log('info', 'the alarm of a certificate is over', { domain: name, source })
    else log('error', `alarm: ${found.message}`, { domain: name, source, code: found.kind })
    if (untold.size < MAX_UNTOLD) untold.set(name, { alarm: told(status, found === undefined), attempts: 0 })
  }

  const told = (status: SourceStatus, isOver: boolean): TlsAlarm => ({
    event: isOver ? 'tls.resolved' : 'tls.alarm',
    at: new Date(now()).toISOString(),
    certificate: withAlarm(status),
  })

  function withAlarm({ refused: _, ...status }: SourceStatus): CertificateStatus {
    const alarm = active.get(status.name)
    return { ...status, ...(alarm !== undefined && { alarm }) }
  }

  async function tell(signal: AbortSignal): Promise<void> {
    const url = webhook()
    for (const [name, entry] of url === undefined ? [] : untold) {
      const failure = await post(url ?? '', entry.alarm, signal)
      if (signal.aborted) return
      if (untold.get(name) !== entry) continue // there is news already
      entry.attempts++
      if (failure !== undefined && entry.attempts < MAX_ATTEMPTS) {
        if (entry.attempts === 1)
          log('warn', 'tls.alarm_webhook could not be told; it is tried again', { error: failure })
      } else untold.delete(name)
    }
    if (url === undefined) untold.clear()
  }

  /** @returns why it was not taken; the address may be a secret */
  async function post(url: string, alarm: TlsAlarm, signal: AbortSignal): Promise<string | undefined> {
    const headers = { 'content-type': 'application/json' }
    try {
      const asked = { method: 'POST', url, headers, body: JSON.stringify(alarm), mayBePlain: true } as const
      const { status } = await send(asked, signal)
      return status >= 200 && status < 300 ? undefined : `status ${status}`
    } catch (error) {
      return error instanceof Error ? error.message : String(error)
    }
  }

  return {
    /** Notes what has begun and ended, and tells it; never rejects. */
    async check(all: readonly SourceStatus[], signal: AbortSignal): Promise<void> {
      all.forEach(update)
      await tell(signal)
    },
    withAlarm,
  }
}

function alarmOf(status: SourceStatus, nowMs: number): Omit<Alarm, 'since'> | undefined {
  const { served, last_error: failure, refused } = status
  const why = failure === undefined ? '' : `: ${failure.message}`
  if (served === undefined) {
    const reason = refused === undefined ? why : `: ${refused}`
    return reason === '' ? undefined : { kind: 'absent', message: `there is no certificate${reason}` }
  }
  const [fromMs, toMs] = [Date.parse(served.not_before), Date.parse(served.not_after)]
  if (nowMs >= toMs) return { kind: 'expired', message: `the certificate ran out at ${served.not_after}${why}` }
  if (refused !== undefined) return { kind: 'refused-files', message: `${refused}; the certificate before is served` }
  if (nowMs < alarmAt({ fromMs, toMs })) return undefined
  return { kind: 'expiring', message: `the certificate runs out at ${served.not_after} and was not renewed${why}` }
}
