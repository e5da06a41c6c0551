import { countIn, isRecord, isReport, recordsIn, textIn } from '../json-value.ts'
import type { Usage } from '../neutral.ts'

/** The usage in the bytes of a whole answer. @returns null when it reports none */
export function usageOf(answer: Buffer): Usage | null {
  try {
    return reportedUsage(JSON.parse(answer.toString('utf8')))
  } catch {
    return null // not JSON: the upstream reported nothing
  }
}

/** The usage in an answer or in a part of a stream: totals so far. @returns null when it has none */
export function reportedUsage(answer: unknown): Usage | null {
  const usage = isRecord(answer) ? answer['usageMetadata'] : null
  if (!isRecord(usage) || !isReport(usage['promptTokenCount'], usage['candidatesTokenCount'])) return null
  const reasoningTokens = countIn(usage['thoughtsTokenCount'])
  const sound = recordsIn(usage['promptTokensDetails']).find(({ modality }) => modality === 'AUDIO')
  const service = textIn(usage['serviceTier'])
  return {
    ...(sound !== undefined && { audioTokens: countIn(sound['tokenCount']) }),
    ...(service !== null && { service }),
    inputTokens: countIn(usage['promptTokenCount']) + countIn(usage['toolUsePromptTokenCount']),
    outputTokens: countIn(usage['candidatesTokenCount']) + reasoningTokens,
    cachedTokens: countIn(usage['cachedContentTokenCount']),
    reasoningTokens,
  }
}

/** Usage as Google reports it: thoughts do not belong to the candidates. */
export function usageObject({ inputTokens, outputTokens, cachedTokens, reasoningTokens, audioTokens }: Usage): object {
  return {
    promptTokenCount: inputTokens,
    candidatesTokenCount: Math.max(0, outputTokens - reasoningTokens),
    totalTokenCount: inputTokens + outputTokens,
    ...(audioTokens !== undefined && { promptTokensDetails: [{ modality: 'AUDIO', tokenCount: audioTokens }] }),
    ...(cachedTokens > 0 && { cachedContentTokenCount: cachedTokens }),
    ...(reasoningTokens > 0 && { thoughtsTokenCount: reasoningTokens }),
  }
}
