/**
 * What a value of a request may be, by its type of JSON: of a type that is not named here it is refused. A dialect
 * says so of its requests down to where its reader reads, or passes on whatever there is.
 */
export type Shape = {
  readonly text?: TextRule
  readonly number?: true
  readonly boolean?: true
  /** What each entry may be. */
  readonly list?: Shape
  readonly object?: ObjectRule
}

/** `filled`: not empty. A word that is not listed is refused, or counts as left out. `ignoresCase`: listed in capitals. */
export type TextRule =
  | { readonly kind: 'any' | 'filled' }
  | {
      readonly kind: 'words'
      readonly words: readonly string[]
      readonly others: 'refuse' | 'drop'
      readonly ignoresCase?: true
    }

/**
 * `any`: all of it is passed on, or the reader notes that it is not. `unread`: it is left out. `choice`: the text of
 * one key says which rule holds; `usual` where it is not there. `keyed`: the one key of these that is there does.
 */
export type ObjectRule =
  | { readonly kind: 'any' }
  | { readonly kind: 'unread' }
  | RecordRule
  | {
      readonly kind: 'choice'
      readonly by: string
      readonly of: Readonly<Record<string, ObjectRule>>
      readonly usual: string | null
      readonly others: ObjectRule | null
    }
  | { readonly kind: 'keyed'; readonly of: Readonly<Record<string, ObjectRule>> }

export type RecordRule = {
  readonly kind: 'record'
  readonly fields: ReadonlyMap<string, Field>
  /** Names of those that must be there. */
  readonly required: readonly string[]
} & RecordLimits

type RecordLimits = {
  /** Fields of which there may be one. */
  readonly either?: readonly string[]
  /** The reader notes what else there is. */
  readonly isOpen?: true
}

type Fields = Readonly<Record<string, Field>>
/**
 * `isLost`: nothing reads the field, and whether a value is lost with it. `gone`: why it is refused.
 */
export type Field = Shape & {
  readonly isRequired?: true
  readonly isLost?: (value: unknown) => boolean
  readonly gone?: string
}

export const TEXT: Shape = { text: { kind: 'any' } }
export const FILLED: Shape = { text: { kind: 'filled' } }
export const NUMBER: Shape = { number: true }
export const BOOLEAN: Shape = { boolean: true }
/** An object that is passed on as it is, or of which the reader notes that it is not. */
export const OBJECT: Shape = { object: { kind: 'any' } }
/** An object that is left out. */
export const UNREAD: Shape = { object: { kind: 'unread' } }
export const TEXTS: Shape = { list: TEXT }

/** A field that means nothing to an upstream of another dialect. */
export const UNNEEDED: Field = { isLost: () => false }
/** A field that is not read, but some values of it ask for what is done anyway. */
export const usual = (...values: readonly unknown[]): Field => ({ isLost: (value) => !values.includes(value) })
/** A field that another one has replaced, or whose meaning is kept elsewhere. */
export const gone = (why: string): Field => ({ gone: why })
export const must = (shape: Shape): Field => ({ ...shape, isRequired: true })

export const list = (of: Shape): Shape => ({ list: of })
export const words = (...all: readonly string[]): Shape => ({ text: { kind: 'words', words: all, others: 'refuse' } })
/** Words of which there may be more by now: others count as left out. */
export const someWords = (...all: readonly string[]): Shape => ({ text: { kind: 'words', words: all, others: 'drop' } })
/** The same in capitals or not. @param all in capitals */
export const anyCase = ({ text }: Shape): Shape =>
  text?.kind === 'words' ? { text: { ...text, ignoresCase: true } } : {}

export function record(fields: Fields, limits: RecordLimits = {}): Shape {
  const required = Object.keys(fields).filter((name) => fields[name]?.isRequired === true)
  return { object: { kind: 'record', fields: new Map(Object.entries(fields)), required, ...limits } }
}

/** @param usual which it is where it does not say @param others what an unknown one is; left out: refused */
export function choice(
  by: string,
  of: Readonly<Record<string, Shape>>,
  { usual = null, others = null }: { readonly usual?: string | null; readonly others?: Shape | null } = {},
): Shape {
  return { object: { kind: 'choice', by, of: rulesOf(of), usual, others: others?.object ?? null } }
}

/** What an object is, by the one key of these that it has. */
export const keyed = (of: Readonly<Record<string, Shape>>): Shape => ({ object: { kind: 'keyed', of: rulesOf(of) } })

const rulesOf = (of: Readonly<Record<string, Shape>>): Readonly<Record<string, ObjectRule>> =>
  Object.fromEntries(Object.entries(of).flatMap(([name, { object }]) => (object === undefined ? [] : [[name, object]])))
