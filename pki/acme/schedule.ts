import type { RenewalWindow } from './ari.ts'

/** When a certificate is valid, Unix milliseconds. */
export type Life = { readonly fromMs: number; readonly toMs: number }

/** Renewed with a third of the life left, and up to a thirtieth earlier, so that not all gateways ask at once. */
const RENEW_LEFT = 1 / 3
const RENEW_SPREAD = 1 / 30
/** However late the CA would like it: before the alarm. */
const RENEW_LATEST_LEFT = 0.3
/** A certificate that was not renewed by then raises an alarm. */
const ALARM_LEFT = 1 / 4

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000
/** After one failure, two, three; then daily. */
const BACKOFF_MS = [MINUTE_MS, 10 * MINUTE_MS, 100 * MINUTE_MS] as const
/** Added to each wait, by chance. */
const BACKOFF_SPREAD = 1 / 10
/** However long a CA asks to be left alone, it is asked again after this. */
const LONGEST_WAIT_MS = 7 * DAY_MS

/**
 * When to renew, as far as the life decides.
 * @param chance 0 to 1, the same for the same certificate
 */
export function renewalAt({ fromMs, toMs }: Life, chance: number): number {
  return toMs - (toMs - fromMs) * (RENEW_LEFT + RENEW_SPREAD * chance)
}

/** When to renew by the CA's wish: somewhere in its window, and before the alarm. @param chance 0 to 1 */
export function wishedAt({ fromMs, toMs }: Life, { startMs, endMs }: RenewalWindow, chance: number): number {
  const latestMs = toMs - (toMs - fromMs) * RENEW_LATEST_LEFT
  return Math.min(startMs + (endMs - startMs) * chance, latestMs)
}

/** When a certificate that is still there raises the alarm. */
export const alarmAt = ({ fromMs, toMs }: Life): number => toMs - (toMs - fromMs) * ALARM_LEFT

/**
 * How long to wait after failures in a row.
 * @param failures at least 1
 * @param askedMs how long the CA asked to be left alone
 * @param random 0 to 1
 */
export function backoffMs(failures: number, askedMs: number | undefined, random: number): number {
  const usualMs = (BACKOFF_MS[failures - 1] ?? DAY_MS) * (1 + BACKOFF_SPREAD * random)
  return Math.max(usualMs, Math.min(askedMs ?? 0, LONGEST_WAIT_MS))
}

/** A restart may have mended what was wrong: a failure that is this long ago is no reason to wait. */
const MENDED_MS = 60 * MINUTE_MS

/**
 * How long to wait after a start.
 * @param past what was kept, Unix milliseconds; undefined: there is nothing to wait for
 */
export function waitAfterStart(
  past:
    | { readonly retryAtMs: number; readonly leftAloneUntilMs: number; readonly failedAtMs: number | undefined }
    | undefined,
  nowMs: number,
): number {
  if (past === undefined) return 0
  const mendedMs = past.failedAtMs === undefined ? past.retryAtMs : past.failedAtMs + MENDED_MS
  const untilMs = Math.max(past.leftAloneUntilMs, Math.min(past.retryAtMs, mendedMs))
  return Math.min(Math.max(untilMs - nowMs, 0), LONGEST_WAIT_MS) // the clock may have been wrong
}
