import type { ConfigProblem } from '../../schemas/layers.ts'
import { escapeControls } from '../log-line.ts'

/** Two lines for people: where and what, then what to do. */
export function problemLines({ where, message, hint }: ConfigProblem): readonly string[] {
  const lines = [`${where}: ${message}`, ...(hint === undefined ? [] : [`  ${hint}`])]
  return lines.map(escapeControls)
}
