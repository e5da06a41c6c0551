import { spawn } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { lstat, rename, rm } from 'node:fs/promises'
import { dirname, extname } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { encrypted } from '../../store/backup/chunks.ts'
import { type FileEntry, ofState, read, written } from '../../store/backup/entries.ts'
import { type Lock, locked } from '../../store/backup/lock.ts'
import { treeFiles } from '../../store/backup/state-files.ts'
import { syncDirectory } from '../../system/replace-files.ts'
import { type Account, readAccounts } from '../accounts.ts'
import { asUser } from '../as-user.ts'
import { localHost } from '../host.ts'

/** Directories of root's that belong to a deployment, and what they are called in a backup. */
export type RootDirectories = { readonly config: string; readonly deploy: string }

/** What of the deployment is kept: its CA and the secrets that it made. The rest apply makes anew. */
const DEPLOYED = ['ca', 'secrets'] as const

export type BackupOptions = {
  readonly stateDirectory: string
  /** Absent: the state directory alone. */
  readonly directories?: RootDirectories | undefined
  readonly file: string
  readonly lock: Lock
  /** Whether the models are hashed, which reads all of them. */
  readonly hashes: boolean
  /** Whether this process is root's, and may become the account of the state directory. */
  readonly isRoot: boolean
}

/** Writes a backup while the daemon goes on. FILE is whole when it has its name. @returns its size in bytes */
export async function backUp(options: BackupOptions): Promise<{ readonly bytes: number; readonly files: number }> {
  const { file, lock } = options
  const unfinished = `${file}.part`
  const { head, key } = await locked(lock)
  let files = 0
  const counted = async function* (): AsyncGenerator<FileEntry> {
    for await (const each of everything(options)) {
      files += 1
      yield each
    }
  }
  const sealed = async function* () {
    yield head
    yield* encrypted(written(counted()), key)
  }
  await rm(unfinished, { force: true })
  try {
    await pipeline(sealed(), createWriteStream(unfinished, { flags: 'wx', mode: 0o600, flush: true }))
    await rename(unfinished, file)
    syncDirectory(dirname(file))
  } finally {
    await rm(unfinished, { force: true })
  }
  return { bytes: (await lstat(file)).size, files }
}

async function* everything({ stateDirectory, directories, hashes, isRoot }: BackupOptions): AsyncGenerator<FileEntry> {
  yield* stateEntries(stateDirectory, hashes, isRoot ? await ownerOf(stateDirectory) : undefined)
  if (directories === undefined) return
  yield* treeFiles(directories.config, 'config')
  for (const name of DEPLOYED) yield* treeFiles(`${directories.deploy}/${name}`, `deploy/${name}`)
}

/** @param account that reads them; undefined: this process does itself @throws Error with what the program said */
async function* stateEntries(
  directory: string,
  hashes: boolean,
  account: Account | undefined,
): AsyncGenerator<FileEntry> {
  const program = fileURLToPath(new URL(`../../store/backup/program${extname(import.meta.url)}`, import.meta.url))
  const own = [process.execPath, '--no-warnings', program, directory, ...(hashes ? ['hashes'] : [])]
  const [command = '', ...args] = account === undefined ? own : asUser(account, own)
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  child.stderr.on('data', (piece: Buffer) => {
    said = (said + piece.toString()).slice(0, LONGEST_REASON)
  })
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve).once('error', () => resolve(null)))
  try {
    yield* ofState(read(child.stdout))
  } catch (error) {
    const code = await ended
    throw code === 0 || said === '' ? error : new Error(said.trim(), { cause: error })
  } finally {
    child.kill('SIGKILL')
  }
  await ended
}

const LONGEST_REASON = 4_096

/** The account that the database belongs to; undefined where it is this process's own. @throws Error */
async function ownerOf(stateDirectory: string): Promise<Account | undefined> {
  const { uid } = await lstat(`${stateDirectory}/gate.db`).catch(() => lstat(stateDirectory))
  if (uid === process.getuid?.()) return undefined
  const account = [...readAccounts(localHost()).users.values()].find((each) => each.uid === uid)
  if (account === undefined) throw new Error(`${stateDirectory}: its files belong to no account of this host (${uid})`)
  return account
}
