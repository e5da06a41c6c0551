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

/** `backends.qwen.args[0]` of a path; names that are not plain words are quoted. */
export function pathText(path: SpecPath): string {
  return path
    .map((step, i) => {
      if (typeof step === 'number') return `[${step}]`
      const word = /^[A-Za-z0-9_$-]+$/.test(step) ? step : JSON.stringify(step)
      return i === 0 ? word : `.${word}`
    })
    .join('')
}

/** What `pathText` was made of. @throws RangeError when it is not such a text */
export function parsePathText(text: string): SpecPath {
  const path: (string | number)[] = []
  const step = /(?:^|\.)(?:([A-Za-z0-9_$-]+)|("(?:[^"\\]|\\.)*"))|\[(\d+)\]/y
  while (step.lastIndex < text.length) {
    const [, word, quoted, index] = step.exec(text) ?? []
    if (word !== undefined) path.push(word)
    else if (quoted !== undefined) path.push(String(JSON.parse(quoted)))
    else if (index !== undefined) path.push(Number(index))
    else throw new RangeError(`not a path in a spec: ${text}`)
  }
  return path
}

/** One string per path, for maps. */
export function pathId(path: SpecPath): string {
  return path.join('\0')
}
