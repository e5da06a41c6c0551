import { closeSync, type ftruncateSync, openSync, type writeSync } from 'node:fs'
import type { UsageRow } from '../../daemon/meter/usage.ts'
import { usageLine } from './line.ts'

/** Append and truncate, as an open file offers them; a test may hand over a full disk. */
export type JournalFile = { readonly write: typeof writeSync; readonly truncate: typeof ftruncateSync }

type Current = { readonly fd: number; readonly path: string; bytes: number; isTorn: boolean }

/** Files `gate.db-usage-TIME-NUMBER` (mode 0600) beside the database, one after the other. */
export function journalFiles(databaseFile: string, file: JournalFile) {
  const opened = `${databaseFile}-usage-${Date.now()}`
  let number = 0
  let current: Current | null = null

  function create(): Current {
    number += 1
    const path = `${opened}-${number}`
    return { fd: openSync(path, 'ax', 0o600), path, bytes: 0, isTorn: false }
  }

  /** Takes back what a failed write has left of a line; where even that fails, the next line starts on a new one. */
  function cutBack(failed: Current): void {
    try {
      file.truncate(failed.fd, failed.bytes)
    } catch {
      failed.isTorn = true
    }
  }

  return {
    /** Appends all rows with one write(2). @throws Error of the file system; then none of them is there */
    append(rows: readonly UsageRow[]): void {
      let text = ''
      for (const row of rows) text += usageLine(row)
      current ??= create()
      const bytes = Buffer.from(current.isTorn ? `\n${text}` : text)
      try {
        for (let at = 0; at < bytes.length; ) at += file.write(current.fd, bytes, at)
      } catch (error) {
        cutBack(current)
        throw error
      }
      current.bytes += bytes.length
      current.isTorn = false
    },
    /** Begins a new file with the next row. @returns the path of the one that is complete, if there is one */
    rotate(): readonly string[] {
      if (current === null) return []
      const { fd, path } = current
      closeSync(fd)
      current = null
      return [path]
    },
  }
}
