/** Keys and indexes from the top of the spec to a value. */
export type SpecPath = readonly (string | number)[]

/** A place in the text of a spec. */
export type Span = {
  readonly file: string
  /** From 1. */
  readonly line: number
  /** From 1, in UTF-16 units. */
  readonly column: number
  /** Column after the last character, on the same line. */
  readonly endColumn: number
}

/** `backends.qwen.args[0]` of a path; names that are no plain words are quoted. */
export function pathText(path: SpecPath): string {
  return path
    .map((step, i) => {
      if (typeof step === 'number') return `[${step}]`
      const word = /^[A-Za-z0-9_$-]+$/.test(step) ? step : JSON.stringify(step)
      return i === 0 ? word : `.${word}`
    })
    .join('')
}

/** One string per path, for maps. */
export function pathId(path: SpecPath): string {
  return path.join('\0')
}
