import { codeOf } from '../../system/error-code.ts'
import { makeDirectories } from '../../system/replace-files.ts'

/** @throws Error that says where, why and what to do */
export function makeStateDirectory(path: string): void {
  try {
    makeDirectories(path, 0o700)
  } catch (cause) {
    const reason = codeOf(cause) === 'EEXIST' ? 'is not a directory' : `cannot be made (${codeOf(cause)})`
    throw new Error(`${path}: ${reason}; name a directory by STATE_DIRECTORY or --state-directory`, { cause })
  }
}
