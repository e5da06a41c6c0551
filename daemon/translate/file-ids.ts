import type { Call } from './call.ts'
import { mayHold, textsUnder } from './json-find.ts'

const NAMES: ReadonlySet<string> = new Set(['file_id', 'file_ids'])

/**
 * The ids of files that a request names, in whatever place: as OpenAI and Anthropic both do. Which of two equal keys
 * counts is the upstream's to say, so both are told. @throws GateError INVALID_JSON
 */
export function fileIdsIn({ body, endpoint: { takes } }: Call): readonly string[] {
  if (takes === 'form' || !mayHold(body, 'file_id')) return []
  return textsUnder(body.toString('utf8'), NAMES)
}
