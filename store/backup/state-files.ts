import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, lstat, open, readdir, readFile, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { codeOf } from '../../system/error-code.ts'
import { DATABASE_NAMES } from '../sqlite/database-names.ts'
import { snapshotDatabase } from '../sqlite/snapshot.ts'
import type { FileEntry } from './entries.ts'

/** A model of the host: it is named, not copied. */
export type ModelFile = {
  readonly path: string
  readonly bytes: number
  readonly modified: string
  readonly sha256?: string
}

const MODELS = 'models'
const KEYRING = 'keyring.json'
/** What the CA of the host makes anew; it is root's. */
const ISSUED = 'state/tls/ca'
/** What is of one run, or made anew: locks, sockets, what SQLite has beside its files, what was left half-written. */
const PASSING = /^(?:gate\.lock|.*\.sock|.*-(?:wal|shm|journal)|\..*|.*-new|before-restore-.*|gate\.db-usage-open-new)$/
const TEMPORARY = '.backup-new.db'
const PIECE_BYTES = 2 ** 16
const MOST_FILES = 100_000

/**
 * The files of a state directory, as they are while a daemon works on it. Databases come last: what of the usage journal
 * is imported and removed meanwhile is in them, a row that is in both counts once, and `audit.head` may be behind its
 * table. No link is followed.
 * @throws Error when the sealing keys were changed meanwhile
 */
export async function* stateFiles(directory: string): AsyncGenerator<FileEntry> {
  const names = (await readdir(directory)).sort()
  const keyring = await textOf(join(directory, KEYRING))
  const isDatabase = (name: string) => DATABASE_NAMES.includes(name)
  for (const name of names)
    if (!isDatabase(name) && name !== MODELS) yield* treeFiles(join(directory, name), `state/${name}`)
  for (const name of names) if (isDatabase(name)) yield* databaseFile(directory, name)
  if ((await textOf(join(directory, KEYRING))) !== keyring)
    throw new Error(
      'the sealing keys were rotated meanwhile; try again when "gatectl secrets status" says that it is done',
    )
}

/** Every plain file of a directory or the file itself, links and what passes left out. */
export async function* treeFiles(path: string, named: string): AsyncGenerator<FileEntry> {
  if (PASSING.test(basename(path)) || named === ISSUED) return
  const status = await lstat(path).catch(absent)
  if (status === null) return
  if (status.isFile()) yield* plainFile(path, named)
  if (!status.isDirectory()) return
  for (const name of (await readdir(path)).sort()) yield* treeFiles(join(path, name), `${named}/${name}`)
}

/** @returns the names of the models of a host, and their sizes */
export async function modelFiles(directory: string, hashes: boolean): Promise<ModelFile[]> {
  const found: ModelFile[] = []
  async function look(path: string, named: string): Promise<void> {
    if (found.length >= MOST_FILES) return
    const status = await lstat(path).catch(absent)
    if (status?.isDirectory() === true)
      for (const name of (await readdir(path).catch(() => [])).sort()) await look(join(path, name), `${named}/${name}`)
    if (status?.isFile() !== true) return
    const sha256 = hashes ? await sha256Of(path) : undefined
    const { size: bytes, mtime } = status
    found.push({ path: named, bytes, modified: mtime.toISOString(), ...(sha256 !== undefined && { sha256 }) })
  }
  await look(join(directory, MODELS), MODELS)
  return found
}

/** A text that is made, not read. */
export function textEntry(path: string, text: string, nowMs: number): FileEntry {
  const bytes = Buffer.from(text)
  const entry = { path, bytes: bytes.length, mode: 0o600, modifiedMs: nowMs }
  return {
    entry,
    content: (async function* () {
      yield bytes
    })(),
  }
}

async function* databaseFile(directory: string, name: string): AsyncGenerator<FileEntry> {
  const copy = join(directory, TEMPORARY)
  await rm(copy, { force: true })
  try {
    snapshotDatabase(join(directory, name), copy)
    yield* plainFile(copy, `state/${name}`)
  } finally {
    await rm(copy, { force: true })
  }
}

/** Nothing where it has gone meanwhile. */
async function* plainFile(path: string, named: string): AsyncGenerator<FileEntry> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(absent)
  if (handle === null) return
  try {
    const status = await handle.stat()
    if (!status.isFile()) return
    const entry = { path: named, bytes: status.size, mode: status.mode & 0o777, modifiedMs: Math.floor(status.mtimeMs) }
    yield { entry, content: contentOf(handle, status.size) }
  } finally {
    await handle.close()
  }
}

/** As much of it as there was at first: a journal grows. */
async function* contentOf(handle: FileHandle, bytes: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes; ) {
    const length = Math.min(PIECE_BYTES, bytes - at)
    const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(length), 0, length, at)
    if (bytesRead === 0) return
    yield buffer.subarray(0, bytesRead)
    at += bytesRead
  }
}

const textOf = (path: string): Promise<string | null> => readFile(path, 'utf8').catch(absent)

async function sha256Of(path: string): Promise<string | undefined> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW).catch(absent)
  if (handle === null) return undefined
  try {
    const hash = createHash('sha256')
    for await (const piece of contentOf(handle, (await handle.stat()).size)) hash.update(piece)
    return hash.digest('hex')
  } finally {
    await handle.close()
  }
}

function absent(error: unknown): null {
  if (['ENOENT', 'ELOOP', 'ENOTDIR', 'ENXIO'].includes(codeOf(error))) return null
  throw error
}
