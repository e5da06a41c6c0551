/** An object of JSON. */
export type JsonRecord = Readonly<Record<string, unknown>>

export function isRecord(value: unknown): value is JsonRecord {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}

export const recordIn = (value: unknown): JsonRecord => (isRecord(value) ? value : {})
export const listIn = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])
export const recordsIn = (value: unknown): readonly JsonRecord[] => listIn(value).filter(isRecord)
export const textIn = (value: unknown): string | null => (typeof value === 'string' ? value : null)
export const numberIn = (value: unknown): number | null => (typeof value === 'number' ? value : null)
export const booleanIn = (value: unknown): boolean | null => (typeof value === 'boolean' ? value : null)

/** Whether what an upstream claims is a count: a whole number from 0 to 2^31. */
export const isCount = (value: unknown): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < 2 ** 31

/** A count that an upstream claims; anything else is 0. */
export const countIn = (value: unknown): number => (isCount(value) ? value : 0)

/** Whether an upstream has reported its tokens: those it read, and those it said, which some leave out. */
export const isReport = (read: unknown, said: unknown): boolean =>
  isCount(read) && (said === undefined || isCount(said))

/** The object that a text holds; null: it holds something else. */
export function parsedRecord(text: string): JsonRecord | null {
  try {
    const value: unknown = JSON.parse(text)
    return isRecord(value) ? value : null
  } catch {
    return null
  }
}
