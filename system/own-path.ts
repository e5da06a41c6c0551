import { lstatSync, realpathSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname } from 'node:path'

/**
 * Where a directory is, if only root and our own account decide what its path leads to: each directory on the way is
 * theirs, and none can be written to by others, unless these may rename nothing in it, as in /tmp.
 * @returns its path without links; undefined: another account could put a directory of its own in its place
 * @throws the system's error
 */
export function ownPath(directory: string): string | undefined {
  const path = realpathSync(directory)
  const self = process.getuid?.()
  const foreignWrite = self === 0 ? 0o022 : 0o002 // a user's group is often that user alone
  for (let at = path; ; at = dirname(at)) {
    const { uid, mode } = lstatSync(at)
    const isSticky = at !== path && (mode & 0o1000) !== 0
    if ((uid !== 0 && uid !== self) || ((mode & foreignWrite) !== 0 && !isSticky)) return undefined
    if (at === dirname(at)) return path
  }
}

/**
 * Where temporary directories are made. TMPDIR of another account, as `sudo -E` keeps it, does not count: its owner
 * could put links in place of what root makes there.
 */
export function temporaryFolder(): string {
  const asked = tmpdir()
  if (process.getuid?.() !== 0 || asked === '/tmp') return asked
  try {
    return ownPath(asked) ?? '/tmp'
  } catch {
    return '/tmp'
  }
}
