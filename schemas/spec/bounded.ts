import { z } from 'zod'
import { byteCount, bytes, duration, durationMs } from '../config/values.ts'

/**
 * Durations, sizes and numbers with ends: everything that becomes a line of a unit or of a proxy. systemd leaves out
 * what it finds out of range, so a cap that is too large or rounds to nothing would vanish without a word.
 */

/** Node's timers hold 2^31 ms; the daemon waits for most durations. */
const LONGEST = '24d'

/** @param least,most durations such as "1s", both allowed */
export function boundedDuration(description: string, least = '0s', most = LONGEST) {
  return duration(description).check(within(durationMs, least, most))
}

/** @param least,most sizes such as "1MiB", both allowed */
export function boundedBytes(description: string, least: string, most = '64TiB') {
  return bytes(description).check(within(byteCount, least, most))
}

/** A whole number from 1 on. */
export const count = (most: number) => z.int().min(1).max(most, `write at most ${most}`)

/** CPUQuota= takes whole percents, and ignores 0%. */
export const cpuShare = (most: number) =>
  z.number().min(0.01, 'write at least 0.01 CPUs').max(most, `write at most ${most} CPUs`)

function within(read: (text: string) => number, least: string, most: string): z.core.CheckFn<string> {
  return ({ value, issues }) => {
    if (isWithin(read, value, least, most)) return
    issues.push({ code: 'custom', input: value, message: `write at least ${least} and at most ${most}` })
  }
}

function isWithin(read: (text: string) => number, text: string, least: string, most: string): boolean {
  try {
    const amount = read(text)
    return amount >= read(least) && amount <= read(most)
  } catch (error) {
    // the pattern has already said that this is no duration or size
    if (error instanceof RangeError) return true
    throw error
  }
}
