import { pathText, type SpecPath } from '../../schemas/spec/path.ts'

/**
 * Lines of columns as sysusers.d(5) and tmpfiles.d(5) read them: the tree, and the only place that escapes for them.
 * Both take columns apart like words of a unit, with quotes and backslash escapes, and expand specifiers.
 */
export type ColumnFile = { readonly comment: readonly string[]; readonly rows: readonly Row[] }

/** `-` marks an empty column. */
export type Row = { readonly columns: readonly string[]; readonly origin: SpecPath }

/** The text of the file and, for each line, the path in the spec that it comes from. */
export function printColumns({ comment, rows }: ColumnFile): { text: string; origins: string[] } {
  const lines = [
    ...comment.map((line) => ({ text: `# ${line}`, origin: '' })),
    ...rows.map(({ columns, origin }) => ({ text: columns.map(printColumn).join(' '), origin: pathText(origin) })),
  ]
  return { text: lines.map(({ text }) => `${text}\n`).join(''), origins: lines.map(({ origin }) => origin) }
}

function printColumn(column: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(column))
    throw new RangeError(`a column cannot hold control characters: ${JSON.stringify(column)}`)
  const escaped = column.replaceAll('%', '%%')
  if (/^[A-Za-z0-9_@%+=:,./-]+$/.test(escaped)) return escaped
  return `"${escaped.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
}
