import { extname } from 'node:path'
import { answerOfThread } from './thread.ts'
import type { Report, Wanted } from './usage-report.ts'

/**
 * Reads what was used, in a thread, so that no request waits for it.
 * @param signal ends it
 * @throws Error why the database cannot be read, or that it was ended
 */
export function readUsage(file: string, wanted: Wanted, signal: AbortSignal): Promise<Report> {
  const program = new URL(`./usage-report-program${extname(import.meta.url)}`, import.meta.url)
  return answerOfThread<Report>(program, { file, wanted }, signal, 'reading the usage was cut off')
}
