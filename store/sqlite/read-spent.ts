import { extname } from 'node:path'
import type { SpentRow } from '../../daemon/admit/spending.ts'
import type { Window } from '../../daemon/admit/window.ts'
import { answerOfThread } from './thread.ts'

/**
 * Reads what was spent in each window, in a thread, so that no request waits for it.
 * @returns when it has begun: what is written after that is not in it
 * @throws Error why the database cannot be read, or that it was ended; so does `rows`
 */
export async function readSpent(
  file: string,
  windows: readonly Window[],
  signal: AbortSignal,
): Promise<{ readonly rows: Promise<readonly (readonly SpentRow[])[]> }> {
  const program = new URL(`./spent-program${extname(import.meta.url)}`, import.meta.url)
  const { promise: begun, resolve } = Promise.withResolvers<void>()
  const cutOff = 'reading what was spent was cut off'
  const rows = answerOfThread<readonly (readonly SpentRow[])[]>(program, { file, windows }, signal, cutOff, resolve)
  await Promise.race([begun, rows])
  return { rows }
}
