import type { RateHeaders } from './rate-headers.ts'

/**
 * The headers of OpenAI's APIs, which its SDKs hand out.
 * @see https://platform.openai.com/docs/guides/rate-limits#rate-limits-in-headers
 */
export const rateHeaders: RateHeaders = {
  prefix: 'x-ratelimit-',
  of({ requests, tokens }) {
    const out: string[] = []
    for (const [what, state] of [
      ['requests', requests],
      ['tokens', tokens],
    ] as const) {
      if (state === null) continue
      out.push(
        `x-ratelimit-limit-${what}`,
        String(state.limit),
        `x-ratelimit-remaining-${what}`,
        String(state.remaining),
      )
      out.push(`x-ratelimit-reset-${what}`, spanText(state.resetMs))
    }
    return out
  },
}

/** A time as Go writes it, which OpenAI does: `6m0s`, `1.5s`, `20ms`. */
function spanText(ms: number): string {
  if (ms < 1_000) return `${Math.ceil(ms)}ms`
  const seconds = Math.ceil(ms / 100) / 10
  const minutes = Math.floor(seconds / 60)
  const rest = Number((seconds % 60).toFixed(1))
  return minutes === 0 ? `${rest}s` : `${minutes}m${rest}s`
}
