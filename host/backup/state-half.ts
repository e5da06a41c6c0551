import { spawn } from 'node:child_process'
import { closeSync, constants, fchownSync, lstatSync, mkdirSync, openSync } from 'node:fs'
import { extname } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { BackupError } from '../../store/backup/chunks.ts'
import { type FileEntry, written } from '../../store/backup/entries.ts'
import { noteWhole, type PutOptions, putState } from '../../store/backup/put-state.ts'

/** Who a state directory belongs to. */
export type Owner = { readonly uid: number; readonly gid: number }

/** The files of the state directory, put there by whom they belong to. */
export type StateHalf = {
  /** @see putState */
  readonly put: (files: AsyncIterable<FileEntry>, options: PutOptions) => Promise<boolean>
  readonly noteWhole: () => Promise<void>
}

/**
 * Works as the account of the state directory, never as root in a directory of another account's.
 * @param owner absent: who owns the directory
 * @throws Error where the directory is root's and others may write to it
 */
export function stateHalf(directory: string, owner: Owner | undefined): StateHalf {
  const found = lstatSync(directory, { throwIfNoEntry: false })
  const { uid, gid } = owner ?? found ?? { uid: 0, gid: 0 }
  const isRoot = process.getuid?.() === 0
  if (isRoot && uid !== 0) {
    if (found === undefined) makeFor(directory, { uid, gid })
    return {
      put: async (files, options) =>
        (await asOwner({ uid, gid }, [directory, ...argumentsOf(options)], files)) === 'aside',
      noteWhole: async () => void (await asOwner({ uid, gid }, [directory, 'whole'], undefined)),
    }
  }
  if (isRoot && found !== undefined && (found.uid !== 0 || (found.mode & 0o022) !== 0))
    throw new Error(`${directory}: other accounts may write to it; run this as the account that it belongs to`)
  return {
    put: (files, options) => putState(directory, files, options),
    noteWhole: async () => noteWhole(directory),
  }
}

const argumentsOf = ({ checkOnly, isHalf, aside }: PutOptions): string[] => [
  checkOnly ? 'check' : isHalf ? 'half' : 'all',
  aside,
]

/** A directory that was not there, in one of root's. */
function makeFor(directory: string, { uid, gid }: Owner): void {
  mkdirSync(directory, { mode: 0o700 })
  const descriptor = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
  try {
    fchownSync(descriptor, uid, gid)
  } finally {
    closeSync(descriptor)
  }
}

const UNUSABLE = 3
const LONGEST_ANSWER = 4_096

/** @returns what the program wrote @throws BackupError, Error with what it said */
async function asOwner(
  { uid, gid }: Owner,
  args: readonly string[],
  files: AsyncIterable<FileEntry> | undefined,
): Promise<string> {
  const program = fileURLToPath(new URL(`../../store/backup/put-program${extname(import.meta.url)}`, import.meta.url))
  const account = [`--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', '--pdeathsig=KILL']
  const command = [process.execPath, '--no-warnings', program, ...args]
  const env = { PATH: '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin', LC_ALL: 'C.UTF-8' }
  const child = spawn('setpriv', [...account, ...command], { cwd: '/', env, stdio: ['pipe', 'pipe', 'pipe'] })
  let answer = ''
  let said = ''
  child.stdout.on('data', (piece: Buffer) => {
    answer = (answer + piece.toString()).slice(0, LONGEST_ANSWER)
  })
  child.stderr.on('data', (piece: Buffer) => {
    said = (said + piece.toString()).slice(0, LONGEST_ANSWER)
  })
  let failed: unknown
  const ended = new Promise<number | null>((resolve) => {
    child.once('close', resolve).once('error', (error) => {
      failed = error
      resolve(null)
    })
  })
  let isRead = false
  const noted = async function* () {
    if (files !== undefined) yield* written(files)
    isRead = true
  }
  let stopped: unknown
  try {
    await pipeline(noted(), child.stdin)
  } catch (error) {
    stopped = error
  }
  const code = await ended
  if (code === 0 && isRead) return answer
  if (stopped instanceof BackupError) throw stopped
  if (code === UNUSABLE) throw new BackupError('format', said.trim())
  throw new Error(said.trim() || `the state directory could not be restored (exit ${code})`, {
    cause: stopped ?? failed,
  })
}
