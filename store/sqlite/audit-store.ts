import { existsSync, readFileSync } from 'node:fs'
import type { AuditRecord, AuditStore } from '../../daemon/audit/audit.ts'
import { codeOf } from '../../system/error-code.ts'
import { replaceFiles } from '../../system/replace-files.ts'
import { type AuditHead, type AuditRow, BROKEN, chainHash, headIn, NO_HEAD } from './audit-chain.ts'
import type { Database } from './database.ts'

type Unnumbered = Omit<AuditRow, 'seq' | 'hash'>

/**
 * The table `audit`, and `audit.head` beside the database: number and hash of the last entry, so that a table that lost
 * its end is found out. A kill in between leaves a head that is behind, which is no loss. Where the table is not what
 * the head says, an entry says so before the next one, so that no later head hides it.
 * @param headFile path of `audit.head` @throws SqliteError, Error of the file system
 */
export function openAuditStore(database: Database, headFile: string): AuditStore {
  const last = database.prepare<[], AuditHead>('SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1')
  const at = database.prepare<[number], AuditHead>('SELECT seq, hash FROM audit WHERE seq = ?')
  const insert = database.prepare<[AuditRow]>(
    `INSERT INTO audit (seq, at, via, who_id, who_name, action, object, address, door, outcome, reason, old, new, hash)
     VALUES (@seq, @at, @via, @who_id, @who_name, @action, @object, @address, @door, @outcome, @reason, @old, @new, @hash)`,
  )
  const isNew = last.get() === undefined && !existsSync(headFile)
  if (isNew) writeHead(headFile, NO_HEAD)
  let expected = readHead(headFile)
  let anchored = expected

  function chain(row: Unnumbered, before: AuditHead): AuditHead {
    const numbered = { ...row, seq: before.seq + 1 }
    const hash = chainHash(before.hash, numbered)
    insert.run({ ...numbered, hash })
    return { seq: numbered.seq, hash }
  }

  const append = database.transaction((row: Unnumbered): AuditHead => {
    const found = last.get() ?? NO_HEAD
    const isKnown = expected.seq === 0 || at.get(expected.seq)?.hash === expected.hash
    return chain(row, isKnown ? found : chain(brokenRow(row.at, expected, found), found))
  })

  return {
    append(record) {
      database.pragma('busy_timeout = 1000')
      database.pragma('synchronous = FULL') // it outlives a power cut
      try {
        expected = append.immediate(rowOf(record))
        return expected
      } finally {
        database.pragma('synchronous = NORMAL')
        database.pragma('busy_timeout = 0')
      }
    },
    anchor() {
      if (anchored === expected) return
      writeHead(headFile, expected)
      anchored = expected
    },
  }
}

function writeHead(file: string, head: AuditHead): void {
  const text = `${JSON.stringify(head)}\n`
  replaceFiles([{ file, text, mode: 0o600 }], { links: 'replace', stagedSuffix: 'new' })
}

/** What no row has, when there is no file or it is damaged. */
function readHead(file: string): AuditHead {
  try {
    return headIn(readFileSync(file, 'utf8')) ?? LOST
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return LOST
    throw error
  }
}

const LOST: AuditHead = { seq: -1, hash: '' }

function rowOf({ at, who, action, object, from, outcome, reason, old, new: now }: AuditRecord): Unnumbered {
  return {
    at,
    via: who.via,
    who_id: who.id,
    who_name: who.name,
    action,
    object,
    address: from.address,
    door: from.via,
    outcome,
    reason,
    old,
    new: now,
  }
}

function brokenRow(at: number, expected: AuditHead, found: AuditHead): Unnumbered {
  return {
    at,
    via: 'system',
    who_id: '',
    who_name: 'gate-daemon',
    action: BROKEN,
    object: 'audit',
    address: null,
    door: 'daemon',
    outcome: 'failed',
    reason: 'the audit is not what audit.head says it was',
    old: JSON.stringify(expected),
    new: JSON.stringify(found),
  }
}
