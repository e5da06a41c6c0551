import type { ConfigProblem } from '../../schemas/config/layers.ts'
import { escapeControls } from '../../syntax/terminal/log-line.ts'

/** Two lines for people: where and what, then what to do. */
export function problemLines({ where, message, hint }: ConfigProblem): readonly string[] {
  const lines = [`${where}: ${message}`, ...(hint === undefined ? [] : [`  ${hint}`])]
  return lines.map(escapeControls)
}
