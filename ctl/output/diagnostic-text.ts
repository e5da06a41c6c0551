import { type Diagnostic, renderDiagnostic } from '../../compiler/diagnostic.ts'
import { printable } from './printed.ts'

/** Diagnostics with code frames for a terminal, one empty line between two. @param spec text of the whole spec */
export function diagnosticText(diagnostics: readonly Diagnostic[], spec: string): string {
  return diagnostics.map((diagnostic) => printable(renderDiagnostic(diagnostic, spec))).join('\n\n')
}

/** `2 errors, 1 warning`; "no problems" for none. */
export function countText(diagnostics: readonly Diagnostic[]): string {
  if (diagnostics.length === 0) return 'no problems'
  const counts = (['error', 'warning'] as const).map(
    (severity) => [diagnostics.filter((d) => d.severity === severity).length, severity] as const,
  )
  return counts
    .filter(([count]) => count > 0)
    .map(([count, word]) => `${count} ${word}${count === 1 ? '' : 's'}`)
    .join(', ')
}

/** The stable JSON of a diagnostic. */
export function diagnosticJson({ code, severity, span, path, message, hint }: Diagnostic) {
  const { file, line, column, endColumn } = span
  return { code, severity, file, line, column, end_column: endColumn, path, message, ...(hint && { hint }) }
}
