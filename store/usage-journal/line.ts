import type { Outcome, UsageRow } from '../../daemon/meter/usage.ts'

/** Kind of each value of a line, in the order in which they are written. */
const KINDS = [
  ...['string', 'number', 'number', 'string', 'string', 'string', 'string', 'number', 'string'],
  ...['number', 'number', 'number', 'number', 'boolean', 'number', 'number', 'number or null'],
]

/** A row as one line, newline included: a JSON array, since names would double its length. */
export function usageLine(r: UsageRow): string {
  return `${JSON.stringify([
    r.requestId,
    r.attempt,
    r.startedAt,
    r.keyId,
    r.model,
    r.upstream,
    r.targetModel,
    r.status,
    r.outcome,
    r.inputTokens,
    r.outputTokens,
    r.cachedTokens,
    r.reasoningTokens,
    r.estimated,
    r.costMicrodollars,
    r.durationMs,
    r.ttftMs,
  ])}\n`
}

/** @param line without its newline. @returns null when it is damaged */
export function rowOfLine(line: string): UsageRow | null {
  const values = parse(line)
  if (values?.length !== KINDS.length || !values.every((value, i) => isKind(value, KINDS[i]))) return null
  return {
    requestId: values[0] as string,
    attempt: values[1] as number,
    startedAt: values[2] as number,
    keyId: values[3] as string,
    model: values[4] as string,
    upstream: values[5] as string,
    targetModel: values[6] as string,
    status: values[7] as number,
    outcome: values[8] as Outcome,
    inputTokens: values[9] as number,
    outputTokens: values[10] as number,
    cachedTokens: values[11] as number,
    reasoningTokens: values[12] as number,
    estimated: values[13] as boolean,
    costMicrodollars: values[14] as number,
    durationMs: values[15] as number,
    ttftMs: values[16] as number | null,
  }
}

function parse(line: string): readonly unknown[] | null {
  try {
    const values: unknown = JSON.parse(line)
    return Array.isArray(values) ? values : null
  } catch {
    return null
  }
}

function isKind(value: unknown, kind: string | undefined): boolean {
  return typeof value === kind || (kind === 'number or null' && (value === null || typeof value === 'number'))
}
