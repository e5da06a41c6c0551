import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import { checkProgram } from '../../../store/sqlite/check-later.ts'
import { remedyFor } from '../../../store/sqlite/remedy.ts'
import { asUser } from '../../as-user.ts'
import type { Check, Subject } from '../check.ts'
import { edit, type Finding, fail, ok, ROOT_SEES_MORE, skip, warn } from '../finding.ts'
import { readHostAccounts, runProgram, statPath } from '../look.ts'

export type DatabaseFacts = {
  readonly file: string
  readonly found:
    | { readonly kind: 'absent' | 'denied' | 'late' }
    | { readonly kind: 'read'; readonly faults: readonly string[]; readonly remedy: string }
    | { readonly kind: 'failed'; readonly reason: string }
}

export const database: Check<DatabaseFacts> = {
  name: 'database',
  summary: 'whether gate.db, with keys and usage, can be read from the first page to the last (PRAGMA quick_check)',
  async observe(subject, signal) {
    const file = `${subject.names.stateDirectory}/gate.db`
    return { file, found: await read(file, subject, signal) }
  },
  judge({ file, found }): Finding[] {
    switch (found.kind) {
      case 'absent':
        return [ok('there is none yet')]
      case 'denied':
        return [skip(file, ROOT_SEES_MORE)]
      case 'late':
        return [skip(file, 'reading all of it takes longer than the doctor waits; the daemon reads it at each start')]
      case 'failed':
        return [warn(`${file} could not be checked`, found.reason, edit(file, 'see the lines about permissions'))]
      case 'read':
        if (found.faults.length === 0) return [ok(`${file} is whole`)]
        return [fail(`${file} cannot be used`, found.faults.join('\n'), edit(file, found.remedy))]
    }
  },
}

/** As the daemon's account: SQLite writes beside what it reads, and the directory is not root's. */
async function read(file: string, { names, isRoot }: Subject, signal: AbortSignal): Promise<DatabaseFacts['found']> {
  const places = await Promise.all([file, `${file}-wal`].map(statPath))
  if (places.every(({ kind }) => kind === 'absent')) return { kind: 'absent' }
  const account = readHostAccounts().users.get(names.user)
  if (
    !isRoot &&
    !(await access(file, constants.R_OK).then(
      () => true,
      () => false,
    ))
  )
    return { kind: 'denied' }
  const command = [process.execPath, '--no-warnings', checkProgram(), file]
  const ran = await runProgram(isRoot && account !== undefined ? asUser(account, command) : command, signal)
  if (signal.aborted) return { kind: 'late' }
  if (ran.code !== 0) return { kind: 'failed', reason: ran.stderr.trim() || `exit code ${ran.code}` }
  return { kind: 'read', faults: JSON.parse(ran.stdout) as string[], remedy: remedyFor(file, 'SQLITE_CORRUPT') }
}
