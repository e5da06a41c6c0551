import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { codeOf } from '../../system/error-code.ts'
import { type AuditHead, type AuditRow, BROKEN, chainHash, headIn, NO_HEAD } from './audit-chain.ts'
import { AUDIT_TRIGGERS } from './tables/audit.ts'

/** `seq` is that of the entry; 0: it is about the whole. */
export type AuditFault = { readonly seq: number; readonly message: string }
export type Verdict = { readonly entries: number; readonly head: AuditHead; readonly faults: AuditFault[] }

/** Named one by one; more are not looked for. */
const MOST_FAULTS = 20

/**
 * Reads the whole audit in a database, or a copy of one with its `audit.head` beside it, and looks whether each entry is
 * chained to the one before. Holds one entry in memory at a time.
 * @param known an entry that an operator has noted elsewhere
 * @throws Error when it cannot be read
 */
export function verifyAudit(file: string, known: AuditHead | null): Verdict {
  const database = new Sqlite(file, { readonly: true, fileMustExist: true, timeout: 5_000 })
  try {
    const anchors = [...headOf(file), ...(known === null ? [] : [{ name: 'the given entry', head: known }])]
    return verified(database, anchors)
  } finally {
    database.close()
  }
}

type Anchor = { readonly name: string; readonly head: AuditHead | null }

function headOf(file: string): readonly Anchor[] {
  try {
    return [{ name: 'audit.head', head: headIn(readFileSync(join(dirname(file), 'audit.head'), 'utf8')) }]
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
    return [{ name: 'audit.head', head: null }]
  }
}

function verified(database: Sqlite.Database, anchors: readonly Anchor[]): Verdict {
  const faults: AuditFault[] = missingTriggers(database)
  const fault = (seq: number, message: string) => {
    if (faults.length < MOST_FAULTS) faults.push({ seq, message })
  }
  const waiting = new Set(anchors.filter(({ head }) => head === null || head.seq > 0))
  let last = NO_HEAD
  let entries = 0
  const rows = database.prepare<[], AuditRow>('SELECT * FROM audit ORDER BY seq')
  for (const { hash, ...row } of rows.iterate()) {
    entries += 1
    if (row.seq !== last.seq + 1) fault(row.seq, `entries ${last.seq + 1} to ${row.seq - 1} are missing`)
    else if (chainHash(last.hash, row) !== hash)
      fault(row.seq, 'this entry, or the one before, is not what was written')
    if (row.action === BROKEN) fault(row.seq, 'what came before this entry was changed, as the daemon noticed then')
    for (const anchor of waiting) {
      if (anchor.head?.seq !== row.seq) continue
      if (anchor.head.hash !== hash) fault(row.seq, `this entry is not the one that ${anchor.name} names`)
      waiting.delete(anchor)
    }
    last = { seq: row.seq, hash }
  }
  for (const { name, head } of waiting) {
    if (head === null) fault(0, `${name} is missing or damaged, so a lost end would go unnoticed`)
    else fault(head.seq, `the end is missing: ${name} names entry ${head.seq}, and the last one is ${last.seq}`)
  }
  return { entries, head: last, faults }
}

function missingTriggers(database: Sqlite.Database): AuditFault[] {
  const found = database.prepare<[], string>(`SELECT name FROM sqlite_schema WHERE type = 'trigger'`).pluck().all()
  return AUDIT_TRIGGERS.filter((name) => !found.includes(name)).map((name) => ({
    seq: 0,
    message: `the trigger ${name} is gone, so entries could be changed`,
  }))
}
