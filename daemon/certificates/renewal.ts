import type { RenewalInfo } from '../../pki/acme/ari.ts'
import { AcmeProblem } from '../../pki/acme/problem.ts'
import { backoffMs, renewalAt, waitAfterStart, wishedAt } from '../../pki/acme/schedule.ts'
import type { Meta, Pair } from './kept.ts'
import { messageOf, pastOf, type Renewable, servedOf } from './renewable.ts'
import { servedStatus, toServed } from './served.ts'
import type { SourceParts, SourceStatus } from './source.ts'

/** Between two certificates that are not asked for by hand; less where the life is short. */
const LEAST_BETWEEN_MS = 3_600_000
const LEAST_BETWEEN_LIFE = 1 / 8
/** A wish that could not be asked for is asked for again after this. */
const WISH_AGAIN_MS = 3_600_000
const DAY_MS = 86_400_000
/** A clock that is set back by less than this has not been wrong. */
const CLOCK_SLACK_MS = 60_000

export type Renewal = ReturnType<typeof createRenewal>

/**
 * Keeps one certificate fresh: serves what is kept, gets a new one when it is due or asked for, tries again after
 * failures, keeps serving the old one meanwhile. Waits are counted by the monotonic clock, the life by the other.
 */
export function createRenewal(renewable: Renewable, { now, monotonic, random, log, changed }: SourceParts) {
  const [name = renewable.source] = renewable.names
  const kept = renewable.load()
  const found = servedOf(kept, renewable.names)
  let served = found.served
  let origin = kept.meta?.origin ?? ''
  let failures = kept.meta?.failures ?? 0
  let lastError = kept.meta?.lastError
  let notBeforeMs = monotonic() + waitAfterStart(pastOf(kept.meta, served && renewable.origin()), now())
  let wish: RenewalInfo | undefined
  let askWishMs = monotonic()
  let leftAloneMs = (kept.meta?.leftAloneUntilMs ?? 0) > now() ? notBeforeMs : monotonic()
  let seenOrigin = renewable.origin()
  let adoptedAtMs = now()
  let unsaved: Pair | undefined
  let unsavedWhy: string | undefined
  let running: Promise<void> | null = null
  const renewals = { succeeded: 0, failed: 0 }

  if (found.damage !== undefined) {
    lastError ??= { atMs: now(), message: found.damage }
    log('error', 'the certificate that was kept cannot be served: a new one is needed', {
      domain: name,
      error: found.damage,
    })
  }

  const meta = (): Meta => ({
    origin,
    failures,
    retryAtMs: Math.round(now() + Math.max(0, notBeforeMs - monotonic())),
    leftAloneUntilMs: leftAloneMs > monotonic() ? Math.round(now() + leftAloneMs - monotonic()) : 0,
    ...(lastError !== undefined && { lastError }),
  })

  function save(pair: Pair | undefined): void {
    unsaved = pair ?? unsaved
    try {
      renewable.save(unsaved, meta())
      if (unsavedWhy !== undefined) log('info', 'the certificate is on the disk now', { domain: name })
      unsaved = undefined
      unsavedWhy = undefined
    } catch (error) {
      if (unsavedWhy === undefined) {
        const message =
          unsaved === undefined ? 'the state of a certificate is not kept' : 'a certificate is in memory alone'
        log('error', `${message}: it cannot be written; writing is tried again`, { domain: name, error: String(error) })
      }
      unsavedWhy = messageOf(error)
    }
  }

  const isOther = () => served !== undefined && origin !== renewable.origin()
  const isFromFuture = () => renewable.isOfOwnClock === true && served !== undefined && now() < served.life.fromMs
  /** The clock was ahead when it was made: another one is as soon as possible, but once for each time it is set back. */
  const wasSetBack = () => isFromFuture() && failures === 0 && now() < adoptedAtMs - CLOCK_SLACK_MS
  function dueAt(): { readonly atMs: number; readonly because: 'life' | 'ari' } {
    if (served === undefined || isOther() || isFromFuture()) return { atMs: 0, because: 'life' }
    const { life, chance } = served
    if (wish !== undefined) return { atMs: wishedAt(life, wish.window, chance), because: 'ari' }
    return { atMs: renewalAt(life, chance), because: 'life' }
  }
  const isDue = (aheadMs = 0) => now() + aheadMs >= dueAt().atMs

  /** What there was to wait for may be mended, when certificates come from somewhere else now. */
  function noteOrigin(): void {
    if (renewable.origin() === seenOrigin) return
    seenOrigin = renewable.origin()
    failures = 0
    notBeforeMs = leftAloneMs
  }

  async function askWish(signal: AbortSignal): Promise<void> {
    if (served === undefined || renewable.wish === undefined || isOther() || monotonic() < askWishMs) return
    try {
      const before = wish?.window.startMs
      wish = await renewable.wish(served.pair, signal)
      askWishMs = monotonic() + (wish?.againMs ?? DAY_MS)
      if (wish !== undefined && wish.window.startMs !== before && before !== undefined)
        log('warn', 'the CA asks for a renewal at another time than before', {
          domain: name,
          ...(wish.explanation !== undefined && { url: wish.explanation }),
        })
    } catch (error) {
      askWishMs = monotonic() + WISH_AGAIN_MS
      if (!signal.aborted) log('debug', 'the CA was not asked when to renew', { domain: name, error: messageOf(error) })
    }
  }

  async function attempt(isForced: boolean, signal: AbortSignal): Promise<void> {
    try {
      const pair = await renewable.obtain(served?.pair, (aheadMs) => isForced || isDue(aheadMs), signal)
      adopt(pair)
    } catch (error) {
      if (signal.aborted) throw error
      failed(error, isForced)
      throw error
    }
  }

  function adopt(pair: Pair): void {
    const next = toServed(pair, renewable.names, ISSUED)
    const isSame = served?.pair.cert === pair.cert && served.pair.key === pair.key
    served = next
    adoptedAtMs = now()
    origin = renewable.origin()
    failures = 0
    lastError = undefined
    wish = undefined
    askWishMs = monotonic()
    const { fromMs, toMs } = next.life
    notBeforeMs = monotonic() + Math.min(LEAST_BETWEEN_MS, (toMs - fromMs) * LEAST_BETWEEN_LIFE)
    save(pair)
    if (isSame) return // who keeps it has not renewed it yet
    renewals.succeeded++
    log('info', 'certificate issued', { domain: name, source: renewable.source, until: new Date(toMs).toISOString() })
    changed()
  }

  /** @param isForced a person tries until it works: what is tried without one is not put off by that */
  function failed(error: unknown, isForced: boolean): void {
    if (!isForced) failures++
    renewals.failed++
    const askedMs = error instanceof AcmeProblem ? error.retryAfterMs : undefined
    const waitMs = backoffMs(Math.max(failures, 1), askedMs, random())
    if (!isForced || askedMs !== undefined) notBeforeMs = Math.max(notBeforeMs, monotonic() + waitMs)
    if (askedMs !== undefined) leftAloneMs = monotonic() + Math.min(askedMs, waitMs)
    lastError = { atMs: now(), message: messageOf(error) }
    save(undefined)
    log('error', 'no certificate was issued', {
      domain: name,
      source: renewable.source,
      error: lastError.message,
      count: failures,
      wait_ms: waitMs,
    })
  }

  function run(isForced: boolean, signal: AbortSignal): Promise<void> {
    running ??= attempt(isForced, signal).finally(() => {
      running = null
    })
    return running
  }

  return {
    name,
    identity: () => served?.identity,
    /** Does what is due; never rejects. */
    async check(signal: AbortSignal): Promise<void> {
      if (unsavedWhy !== undefined) save(undefined)
      if (running !== null) return
      noteOrigin()
      await askWish(signal)
      if ((monotonic() < notBeforeMs && !wasSetBack()) || !isDue()) return
      await run(false, signal).catch(() => {}) // it is in the log, and in the status
    },
    /** Gets a new certificate now. @throws Error that says why there is none */
    async renew(signal: AbortSignal): Promise<void> {
      const waitMs = leftAloneMs - monotonic()
      if (waitMs > 0 && running === null) {
        const minutes = Math.ceil(waitMs / 60_000)
        throw new Error(`the CA asked to be left alone for ${minutes} more minutes: ${lastError?.message ?? ''}`)
      }
      await run(true, signal)
    },
    status(): SourceStatus {
      const due = dueAt()
      const retryMs = notBeforeMs - monotonic()
      const isWaiting = failures > 0 && retryMs > 0 && now() + retryMs > due.atMs
      const renewsMs = isWaiting ? now() + retryMs : Math.max(due.atMs, served === undefined ? now() : 0)
      return {
        name,
        names: [...renewable.names],
        source: renewable.source,
        ...(renewable.path !== undefined &&
          served !== undefined &&
          unsavedWhy === undefined && { path: renewable.path }),
        ...(served !== undefined && { served: servedStatus(served.pair, served.life) }),
        ...(unsaved !== undefined && unsavedWhy !== undefined && { unsaved: unsavedWhy }),
        renewing: running !== null,
        renews_at: new Date(renewsMs).toISOString(),
        renews_because: isWaiting ? 'retry' : due.because,
        ...(lastError !== undefined && {
          last_error: { at: new Date(lastError.atMs).toISOString(), message: lastError.message },
        }),
        renewals: { ...renewals },
      }
    },
  }
}

const ISSUED = { cert: 'the certificate that was issued', key: 'its key' } as const
