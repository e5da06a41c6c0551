import type { Edit } from '../toml/edit.ts'

/** Formats of one setting per line: `NAME=value` of a shell, dotenv or podman, and YAML without nesting. */
export type FlatFormat = 'env' | 'yaml'

/** Sets values in a text of one setting per line. Only their lines change; new ones are added at the end. */
export function setInFlat(text: string, format: FlatFormat, values: Readonly<Record<string, string>>): Edit {
  const { line, startsWith } = FORMATS[format]
  const lines = text === '' ? [] : text.replace(/\n$/, '').split('\n')
  for (const [name, value] of Object.entries(values)) {
    const written = line(name, value)
    if (written === undefined) return { kind: 'refused', reason: `the value of ${name} cannot be written in it` }
    const places = lines.flatMap((old, at) => (startsWith(old, name) ? [at] : []))
    const [at = lines.length, another] = places
    if (another !== undefined) return { kind: 'refused', reason: `it sets ${name} twice` }
    if (format === 'yaml' && /^\s*(\s|-(\s|$))/.test(lines[at + 1] ?? ''))
      return { kind: 'refused', reason: `it sets ${name} over several lines` }
    lines[at] = written
  }
  if (format === 'yaml' && !lines.every((one) => YAML_LINE.test(one)))
    return { kind: 'refused', reason: 'it is not plain YAML of one key per line' }
  return { kind: 'edited', text: `${lines.join('\n')}\n` }
}

/** Whether a text sets a name. */
export const setsInFlat = (text: string, format: FlatFormat, name: string): boolean =>
  text.split('\n').some((line) => FORMATS[format].startsWith(line, name))

/** A key at the margin, what belongs to the key before, a comment, a marker, or nothing. */
const YAML_LINE = /^(?:[\w-]+:(?:\s|$)|[\s#]|-(?:\s|$)|---\s*$|$)/

const FORMATS: Readonly<
  Record<
    FlatFormat,
    { line(name: string, value: string): string | undefined; startsWith(line: string, name: string): boolean }
  >
> = {
  env: {
    // bare where it can be: podman's --env-file keeps quotes as part of the value
    line: (name, value) =>
      /^[\w@%+=:,./-]*$/.test(value) ? `${name}=${value}` : isQuotable(value) ? `${name}='${value}'` : undefined,
    startsWith: (line, name) => line.replace(/^\s*(?:export\s+)?/, '').startsWith(`${name}=`),
  },
  yaml: {
    line: (name, value) => (isPrintable(value) ? `${name}: ${JSON.stringify(value)}` : undefined),
    startsWith: (line, name) => line.startsWith(`${name}:`),
  },
}

const isPrintable = (value: string): boolean => !/[\p{C}\p{Zl}\p{Zp}]/u.test(value)
const isQuotable = (value: string): boolean => isPrintable(value) && !value.includes("'")
