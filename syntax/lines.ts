import { pathText, type SpecPath } from '../schemas/spec/path.ts'

/** A line of an output file and the part of the spec that it comes from. */
export type Line = { readonly text: string; readonly origin: SpecPath }

/** What an output file holds: its text, and the origin of each line. */
export type Printed = { readonly text: string; readonly origins: readonly string[] }

export function printLines(lines: readonly Line[]): Printed {
  return { text: lines.map(({ text }) => `${text}\n`).join(''), origins: lines.map(({ origin }) => pathText(origin)) }
}
