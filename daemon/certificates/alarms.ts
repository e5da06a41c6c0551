import type { Send } from '../../pki/acme/request.ts'
import { alarmAt } from '../../pki/acme/schedule.ts'
import type { CertificateStatus, TlsAlarm } from '../../schemas/admin-tls.ts'
import type { Log } from '../../schemas/words/log.ts'
import type { TellAlert } from '../alerts/alert.ts'
import type { SourceStatus } from './source.ts'

type Alarm = NonNullable<CertificateStatus['alarm']>

export type AlarmParts = {
  /** Unix milliseconds. */
  readonly now: () => number
  /** Monotonic milliseconds. */
  readonly monotonic: () => number
  readonly log: Log
  readonly send: Send
  /** Is told of each alarm, beside the webhook. */
  readonly alert: TellAlert
  /** Where alarms are posted to; undefined: nowhere. */
  readonly webhook: () => string | undefined
}

/** Alarms that could not be told yet, one for each certificate; more than this are not kept. */
const MAX_UNTOLD = 1_000
/** Told at once, others after them. */
const MAX_AT_ONCE = 32
/** For one post. */
const DEADLINE_MS = 10_000
/** After each attempt that failed twice as long as before, and never given up. */
const FIRST_WAIT_MS = 30_000
const LONGEST_WAIT_MS = 3_600_000
/** A clock that is behind by less makes no alarm of a new certificate. */
const CLOCK_SLACK_MS = 60_000

/** What is to be told of a certificate: the latest alone. */
type Untold = { readonly alarm: TlsAlarm; attempts: number /** By the monotonic clock. */; notBeforeMs: number }

/**
 * What is wrong with certificates, since when. Each alarm is logged and posted once when it begins, becomes another, or
 * ends.
 */
export function createAlarms({ now, monotonic, log, alert, send, webhook }: AlarmParts) {
  const active = new Map<string, Alarm>()
  const untold = new Map<string, Untold>()

  function update(status: SourceStatus): void {
    const id = idOf(status)
    const before = active.get(id)
    const found = alarmOf(status, now())
    if (found?.kind === before?.kind) {
      if (found !== undefined && before !== undefined) active.set(id, { ...found, since: before.since })
      return // another cause is no news
    }
    if (found === undefined) active.delete(id)
    else active.set(id, { ...found, since: new Date(now()).toISOString() })
    const { name, source } = status
    if (found === undefined) log('info', 'the alarm of a certificate is over', { domain: name, source })
    else log('error', `alarm: ${found.message}`, { domain: name, source, code: found.kind })
    alert({
      event: 'certificate',
      subject: id,
      state: found === undefined ? 'over' : 'on',
      level: found?.kind ?? '',
      severity: 'critical',
      message: found === undefined ? `${name}: the alarm of its certificate is over` : `${name}: ${found.message}`,
    })
    const alarm = told(status, found === undefined)
    if (untold.size < MAX_UNTOLD || untold.has(id)) untold.set(id, { alarm, attempts: 0, notBeforeMs: 0 })
  }

  const told = (status: SourceStatus, isOver: boolean): TlsAlarm => ({
    event: isOver ? 'tls.resolved' : 'tls.alarm',
    at: new Date(now()).toISOString(),
    certificate: withAlarm(status),
  })

  function withAlarm({ refused: _, unsaved: __, ...status }: SourceStatus): CertificateStatus {
    const alarm = active.get(idOf(status))
    return { ...status, ...(alarm !== undefined && { alarm }) }
  }

  async function tell(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const url = webhook()
      if (url === undefined) return untold.clear()
      const due = [...untold].filter(([, { notBeforeMs }]) => monotonic() >= notBeforeMs).slice(0, MAX_AT_ONCE)
      if (due.length === 0) return
      await Promise.all(due.map(([id, entry]) => tellOne(url, id, entry, signal)))
    }
  }

  async function tellOne(url: string, id: string, entry: Untold, signal: AbortSignal): Promise<void> {
    const failure = await post(url, entry.alarm, AbortSignal.any([signal, AbortSignal.timeout(DEADLINE_MS)]))
    if (signal.aborted || untold.get(id) !== entry) return // there is news already
    if (failure === undefined) {
      untold.delete(id)
      return
    }
    entry.notBeforeMs = monotonic() + Math.min(FIRST_WAIT_MS * 2 ** entry.attempts, LONGEST_WAIT_MS)
    entry.attempts++
    if (entry.attempts === 1)
      log('error', 'tls.alarm_webhook could not be told; it is tried again until it is', { error: failure })
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
    /** Notes what has begun, become another, or ended. */
    note: (all: readonly SourceStatus[]): void => all.forEach(update),
    /** Tells what was noted and not told yet; what fails is tried again at a later call. Never rejects. */
    tell,
    withAlarm,
  }
}

/** The names of files change with them. */
const idOf = ({ source, name, path }: Omit<SourceStatus, 'refused' | 'unsaved'>): string =>
  `${source} ${source === 'files' ? path : name}`

function alarmOf(status: SourceStatus, nowMs: number): Omit<Alarm, 'since'> | undefined {
  const { served, last_error: failure, refused, unsaved } = status
  const why = failure === undefined ? '' : `: ${failure.message}`
  if (served === undefined) {
    const reason = refused === undefined ? why : `: ${refused}`
    return reason === '' ? undefined : { kind: 'absent', message: `there is no certificate${reason}` }
  }
  const [fromMs, toMs] = [Date.parse(served.not_before), Date.parse(served.not_after)]
  if (nowMs >= toMs) return { kind: 'expired', message: `the certificate ran out at ${served.not_after}${why}` }
  if (nowMs < fromMs - CLOCK_SLACK_MS) {
    const message = `the certificate is not valid before ${served.not_before}, or the clock of this host is wrong${why}`
    return { kind: 'not-yet-valid', message }
  }
  if (refused !== undefined) return { kind: 'refused-files', message: `${refused}; the certificate before is served` }
  if (nowMs < alarmAt({ fromMs, toMs })) {
    const message = `the certificate is in memory alone, and lost when the daemon stops: ${unsaved}`
    return unsaved === undefined ? undefined : { kind: 'not-kept', message }
  }
  return { kind: 'expiring', message: `the certificate runs out at ${served.not_after} and was not renewed${why}` }
}
