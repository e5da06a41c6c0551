/** The events of a stream, or its lines, or a whole answer. */
export const eventsIn = (text: string): readonly unknown[] =>
  text
    .split('\n')
    .filter((line) => /^(?:data: )?\{/.test(line))
    .map((line) => JSON.parse(line.replace('data: ', '')))

/** Whatever has a name, at any place. */
export const named = (value: unknown, name: string): readonly unknown[] =>
  typeof value !== 'object' || value === null
    ? []
    : Object.entries(value).flatMap(([key, inner]) => (key === name ? [inner] : named(inner, name)))
