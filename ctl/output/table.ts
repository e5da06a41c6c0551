import { styleText } from 'node:util'
import { escapeControls } from '../../syntax/terminal/log-line.ts'
import type { Output } from '../surroundings.ts'

/** Rows in aligned columns, the header bold where `stdout` wants colours (a terminal, and no NO_COLOR). */
export function table(header: readonly string[], rows: readonly (readonly string[])[], stdout: Output): string {
  const safe = rows.map((row) => row.map(escapeControls))
  const widths = header.map((title, column) => Math.max(title.length, ...safe.map((row) => row[column]?.length ?? 0)))
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)))
      .join('  ')
      .trimEnd()
  return [styleText('bold', line(header), { stream: stdout }), ...safe.map(line)].join('\n')
}
