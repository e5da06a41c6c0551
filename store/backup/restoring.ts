import { existsSync } from 'node:fs'
import { join } from 'node:path'

/** What a restore keeps in a state directory while files are replaced. */
export const RESTORING = '.restoring.json'

/** @throws Error when a restore of this state directory was killed half-way: its files are of two times */
export function refuseHalfRestored(stateDirectory: string): void {
  if (!existsSync(join(stateDirectory, RESTORING))) return
  throw new Error(
    `${stateDirectory}: a restore was broken off while it replaced files; run it again, which finishes it`,
  )
}
