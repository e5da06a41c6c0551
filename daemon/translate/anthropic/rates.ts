import type { RateHeaders } from '../rate-headers.ts'

/** The headers of Anthropic's API. @see https://docs.anthropic.com/en/api/rate-limits#response-headers */
export const rateHeaders: RateHeaders = {
  prefix: 'anthropic-ratelimit-',
  of({ requests, tokens }, nowMs) {
    const out: string[] = []
    for (const [what, state] of [
      ['requests', requests],
      ['tokens', tokens],
    ] as const) {
      if (state === null) continue
      const reset = new Date(nowMs + state.resetMs).toISOString().replace(/\.\d+Z$/, 'Z')
      out.push(`anthropic-ratelimit-${what}-limit`, String(state.limit))
      out.push(`anthropic-ratelimit-${what}-remaining`, String(state.remaining))
      out.push(`anthropic-ratelimit-${what}-reset`, reset)
    }
    return out
  },
}
