import { extname } from 'node:path'
import type { SpentRow } from '../../daemon/admit/spending.ts'
import type { Window } from '../../daemon/admit/window.ts'
import { answerOfThread } from './thread.ts'

/**
 * Reads what was spent in each window, in a thread, so that no request waits for it.
 * @throws Error why the database cannot be read, or that it was ended
 */
export function readSpent(
  file: string,
  windows: readonly Window[],
  signal: AbortSignal,
): Promise<readonly (readonly SpentRow[])[]> {
  const program = new URL(`./spent-program${extname(import.meta.url)}`, import.meta.url)
  return answerOfThread(program, { file, windows }, signal, 'reading what was spent was cut off')
}
