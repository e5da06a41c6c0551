import { readFileSync } from 'node:fs'
import { unreadable } from '../../failure.ts'

/** @throws Failure when the file cannot be read or is not UTF-8 */
export function readNamed(file: string, absentHint?: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(readFileSync(file))
  } catch (error) {
    if (error instanceof TypeError || (error instanceof Error && 'code' in error))
      return unreadable(file, error, absentHint)
    throw error
  }
}
