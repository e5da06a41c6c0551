import { lstatSync, readdirSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { shellWord } from '../../syntax/shell/print.ts'
import { codeOf } from '../../system/error-code.ts'

/** A database that cannot be used as it is: where, what, what to do. */
export function databaseError(file: string, cause: unknown): Error {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new Error(`${file}: cannot open the database: ${reason}; ${remedyFor(file, codeOf(cause))}`, { cause })
}

/**
 * What to do when the database fails in one way.
 * @param code of SQLite or of the file system; anything else is taken for damage
 */
export function remedyFor(file: string, code: string): string {
  switch (/^SQLITE_([A-Z]+)/.exec(code)?.[1] ?? code) {
    case 'NEWER':
      return 'install that version again, or restore a backup of the database from before the upgrade'
    case 'BUSY':
    case 'LOCKED':
      return 'stop the program that holds a lock on it'
    case 'FULL':
    case 'ENOSPC':
    case 'EDQUOT':
    case 'IOERR':
      return 'free space on its disk, and see what the kernel logs about the disk'
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
    case 'READONLY':
    case 'CANTOPEN':
    case 'PERM':
      return 'give it and its directory to the account of gate-daemon, with mode 600 and 700'
    default:
      return `stop gate-daemon, then ${restoreOrMove(file)}`
  }
}

/** Whether a failure lies in the database itself, so that trying again is no use. @param code as for `remedyFor` */
export function isDamage(code: string): boolean {
  return code === 'GONE' || /^SQLITE_(?:CORRUPT|NOTADB)/.test(code)
}

/** Neither way loses any of the data. */
function restoreOrMove(file: string): string {
  const copy = newestCopy(file)
  const [name, directory] = [basename(file), dirname(file)]
  const aside = shellWord(join(directory, 'damaged'))
  return [
    `restore a backup of it without ${name}-wal and ${name}-shm`,
    copy === undefined ? ' (there is no copy beside it)' : ` (the newest copy beside it is ${copy})`,
    `, or move it aside to start empty, with new keys: mkdir ${aside} && mv ${shellWord(join(directory, name))}* ${aside}`,
  ].join('')
}

/** A copy of it that was made by hand, by its name: `gate.db.bak`, `gate.db-2026-11-01`. */
function newestCopy(file: string): string | undefined {
  const [directory, name] = [dirname(file), basename(file)]
  const copies = readdirSync(directory)
    .filter((other) => other.startsWith(name) && other !== name)
    .filter((other) => !/^-(?:wal|shm|new|journal|usage-.*)$/.test(other.slice(name.length)))
    .map((other) => ({ other: join(directory, other), status: lstatSync(join(directory, other)) }))
    .filter(({ status }) => status.isFile() && status.size > 0)
    .sort((a, b) => b.status.mtimeMs - a.status.mtimeMs)
  const [newest] = copies
  return newest && `${newest.other}, of ${newest.status.mtime.toISOString().slice(0, 10)}`
}
