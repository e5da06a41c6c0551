import { type JsonRecord, numberIn, recordIn, recordsIn, textIn } from '../json-value.ts'
import type { TokenChance, TokenLogprobs } from '../token-logprobs.ts'

/** The likelihoods that a candidate says, of its text. */
export function logprobsOf({ logprobsResult }: JsonRecord): TokenLogprobs {
  const result = recordIn(logprobsResult)
  const tops = recordsIn(result['topCandidates'])
  return recordsIn(result['chosenCandidates']).flatMap((one, at) => {
    const chosen = chanceIn(one)
    const top = recordsIn(recordIn(tops[at])['candidates']).flatMap((other) => chanceIn(other) ?? [])
    return chosen === null ? [] : [{ ...chosen, top }]
  })
}

function chanceIn({ token, logProbability }: JsonRecord): TokenChance | null {
  const [text, logprob] = [textIn(token), numberIn(logProbability)]
  return text === null || logprob === null ? null : { token: text, logprob, bytes: null }
}

/** The same as a candidate says it; nothing where nothing is known. */
export function logprobsResult(logprobs: TokenLogprobs | undefined): object {
  if (logprobs === undefined || logprobs.length === 0) return {}
  const asGoogle = ({ token, logprob }: TokenChance) => ({ token, logProbability: logprob })
  const topCandidates = logprobs.map(({ top }) => ({ candidates: top.map(asGoogle) }))
  return { logprobsResult: { chosenCandidates: logprobs.map(asGoogle), topCandidates } }
}
