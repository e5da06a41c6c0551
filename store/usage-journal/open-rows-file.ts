import { renameSync, rmSync, writeFileSync } from 'node:fs'
import type { UsageRow } from '../../daemon/meter/usage.ts'
import { usageLine } from './line.ts'

/** The file `gate.db-usage-open-TIME` with the rows of what is going on, which is rewritten as a whole. */
export function openRowsFile(databaseFile: string) {
  const path = `${databaseFile}-usage-open-${Date.now()}`
  const unfinished = `${databaseFile}-usage-open-new`
  let isThere = false
  rmSync(unfinished, { force: true })

  return {
    /** Notes rows in place of those before; nothing happens where they cannot be written. */
    note(rows: readonly UsageRow[]): void {
      if (rows.length === 0 && !isThere) return
      try {
        if (rows.length === 0) rmSync(path, { force: true })
        else {
          writeFileSync(unfinished, rows.map(usageLine).join(''), { mode: 0o600 })
          renameSync(unfinished, path) // a kill leaves one or the other, whole
        }
        isThere = rows.length > 0
      } catch {
        discard(unfinished) // the disk is full, or can only be read, which the next append says
      }
    },
  }
}

/** Removes a file, where that can be done. */
function discard(file: string): void {
  try {
    rmSync(file, { force: true })
  } catch {
    // the next start removes it
  }
}
