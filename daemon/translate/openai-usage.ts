import { onlyOutermost } from './json-find.ts'
import { countIn } from './json-value.ts'
import type { Usage } from './neutral.ts'

/** Where both of OpenAI's APIs say which class of service has answered. */
export const SERVICE = 'service_tier'

/** The usage in the bytes of a whole answer, which is near its end in both APIs; null when it reports none. */
export const usageReader =
  (reportedUsage: (answer: unknown) => Usage | null) =>
  (answer: Buffer): Usage | null => {
    try {
      return reportedUsage(onlyOutermost(answer, 'usage', SERVICE) ?? JSON.parse(answer.toString('utf8')))
    } catch {
      return null // not JSON: the upstream reported nothing
    }
  }

type Reported = { readonly read: unknown; readonly said: unknown; readonly reasoning: number; readonly total: unknown }

/** The tokens that were said, with those of reasoning: xAI counts these apart, which the total shows. */
export function saidTokens({ read, said, reasoning, total }: Reported): number {
  const isApart = total === countIn(read) + countIn(said) + reasoning
  return countIn(said) + (isApart ? reasoning : 0)
}
