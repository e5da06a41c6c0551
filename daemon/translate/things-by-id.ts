import type { Call } from './call.ts'
import { type JsonRecord, recordsIn, textIn } from './json-value.ts'

/** How OpenAI and Anthropic both name what they keep, and list it. */
export const THINGS_BY_ID = {
  idFor: ({ param }: Call): string => param,
  idOf: ({ id }: JsonRecord): string | null => textIn(id),
  itemsIn: ({ data }: JsonRecord): readonly JsonRecord[] => recordsIn(data),
  withItems(page: JsonRecord, items: readonly JsonRecord[], hasMore: boolean): JsonRecord {
    return {
      ...page,
      data: items,
      ...('first_id' in page && { first_id: items[0]?.['id'] ?? null }),
      ...('last_id' in page && { last_id: items.at(-1)?.['id'] ?? null }),
      ...('has_more' in page && { has_more: hasMore }),
    }
  },
  nothing: { object: 'list', data: [], has_more: false, first_id: null, last_id: null },
} as const
