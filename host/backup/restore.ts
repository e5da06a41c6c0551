import {
  chownSync,
  existsSync,
  lchownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { open } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { BackupError } from '../../store/backup/chunks.ts'
import type { FileEntry, Root } from '../../store/backup/entries.ts'
import type { Unlock } from '../../store/backup/lock.ts'
import type { Manifest } from '../../store/backup/manifest.ts'
import { RESTORING } from '../../store/backup/restoring.ts'
import { SCHEMA_VERSION } from '../../store/sqlite/database.ts'
import { DATABASE_NAMES, DATABASES } from '../../store/sqlite/database-names.ts'
import { inspectDatabase } from '../../store/sqlite/snapshot.ts'
import { lockState } from '../../store/sqlite/state-lock.ts'
import { makeDirectories, replaceFiles, syncDirectory } from '../../system/replace-files.ts'
import type { RootDirectories } from './backup.ts'
import { openBackup } from './opened.ts'

export type RestoreOptions = {
  readonly file: string
  readonly unlock: Unlock
  readonly stateDirectory: string
  /** Where root's parts go; absent: they are left out. */
  readonly directories?: RootDirectories | undefined
  /** Who the files of the state directory are to belong to; absent: this process's account. */
  readonly owner?: { readonly uid: number; readonly gid: number } | undefined
  /** Whether nothing is replaced. */
  readonly checkOnly: boolean
  readonly now: () => number
}

export type Restored = {
  readonly manifest: Manifest
  readonly files: number
  /** Where what was there before is now; null: there was nothing, or nothing was replaced. */
  readonly aside: string | null
}

/** What a restore that has begun to replace has still to do. */
type Plan = { readonly step: 'aside' | 'in'; readonly aside: string; readonly directories: RootDirectories | null }

const STAGED = '.restore-new'
/** What stays where it is: models, locks, sockets, and what a restore itself keeps there. */
const STAYS = /^(?:models|gate\.lock|.*\.sock|\.restore-new|\.restoring\.json|before-restore-.*)$/
/** Root's, made by the CA of the host and not in backups. */
const ISSUED = 'tls/ca'

/**
 * Puts a backup in place of a state directory. All of it is read and checked before anything is replaced; what was there
 * is moved aside. A restore that was killed half-way is finished by the next one.
 * @throws BackupError, Error: a daemon runs there; the disk is full
 */
export async function restore(options: RestoreOptions): Promise<Restored> {
  const { stateDirectory, file, unlock, checkOnly, directories, owner } = options
  makeDirectories(stateDirectory, 0o700)
  const letGo = lockState(stateDirectory)
  try {
    finish(stateDirectory, owner)
    const staged = join(stateDirectory, STAGED)
    rmSync(staged, { recursive: true, force: true })
    mkdirSync(staged, { mode: 0o700 })
    try {
      const { manifest, files } = await openBackup(file, unlock)
      let count = 0
      for await (const each of files) {
        if (isWanted(each, directories)) await stage(staged, each)
        count += 1
      }
      check(join(staged, 'state'))
      if (checkOnly) return { manifest, files: count, aside: null }
      const aside = join(stateDirectory, `before-restore-${new Date(options.now()).toISOString().replaceAll(':', '')}`)
      writePlan(stateDirectory, { step: 'aside', aside, directories: directories ?? null })
      finish(stateDirectory, owner)
      return { manifest, files: count, aside: existsSync(aside) ? aside : null }
    } finally {
      rmSync(staged, { recursive: true, force: true })
    }
  } finally {
    letGo()
    if (owner !== undefined) chownSync(join(stateDirectory, 'gate.lock'), owner.uid, owner.gid)
  }
}

function isWanted({ entry }: FileEntry, directories: RootDirectories | undefined): boolean {
  return entry.path.startsWith('state/') || directories !== undefined
}

async function stage(staged: string, { entry, content }: FileEntry): Promise<void> {
  const path = join(staged, entry.path)
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const mode = entry.path.startsWith('state/') ? entry.mode & 0o700 : entry.mode // the daemon's own are for nobody else
  const handle = await open(path, 'wx', mode)
  try {
    for await (const piece of content) await handle.writeFile(piece)
    await handle.chmod(mode)
    await handle.utimes(entry.modifiedMs / 1_000, entry.modifiedMs / 1_000)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** @throws BackupError */
function check(directory: string): void {
  if (!existsSync(join(directory, DATABASES.main))) throw new BackupError('format', 'it has no database')
  for (const name of DATABASE_NAMES.filter((each) => existsSync(join(directory, each)))) {
    const [fault] = inspectDatabase(join(directory, name)).faults
    if (fault !== undefined) throw new BackupError('damaged', `its database ${name} is damaged: ${fault}`)
  }
  const { schema } = inspectDatabase(join(directory, DATABASES.main))
  if (schema <= SCHEMA_VERSION) return
  const versions = `schema ${schema}, this one knows ${SCHEMA_VERSION}`
  throw new BackupError('newer', `it was made by a newer version of Gate (${versions}); install that version first`)
}

/** Does what is left of a plan; nothing where there is none. Every step may be done twice. */
function finish(stateDirectory: string, owner: RestoreOptions['owner']): void {
  const plan = readPlan(stateDirectory)
  if (plan === null) return
  const staged = join(stateDirectory, STAGED, 'state')
  if (plan.step === 'aside') {
    const before = readdirSync(stateDirectory).filter((name) => !STAYS.test(name))
    if (before.length > 0) makeDirectories(plan.aside, 0o700)
    for (const name of before) renameSync(join(stateDirectory, name), join(plan.aside, name))
    if (before.length > 0) syncDirectory(plan.aside)
    if (owner !== undefined) giveTo(staged, owner)
    writePlan(stateDirectory, { ...plan, step: 'in' })
  }
  for (const name of readdirSync(staged)) renameSync(join(staged, name), join(stateDirectory, name))
  const issued = join(plan.aside, ISSUED)
  if (existsSync(issued)) {
    makeDirectories(dirname(join(stateDirectory, ISSUED)), 0o700)
    renameSync(issued, join(stateDirectory, ISSUED))
  }
  if (plan.directories !== null) putRootFiles(stateDirectory, plan.aside, plan.directories)
  syncDirectory(stateDirectory)
  rmSync(join(stateDirectory, RESTORING), { force: true })
  rmSync(join(stateDirectory, STAGED), { recursive: true, force: true })
  syncDirectory(stateDirectory)
}

/** What differs of root's files is replaced one by one, and kept aside. */
function putRootFiles(stateDirectory: string, aside: string, directories: RootDirectories): void {
  for (const root of ['config', 'deploy'] as const) {
    const staged = join(stateDirectory, STAGED, root)
    for (const path of filesBelow(staged)) {
      const to = join(directories[root], path)
      const text = readFileSync(join(staged, path))
      const before = existsSync(to) ? readFileSync(to) : undefined
      if (before?.equals(text)) continue
      if (before !== undefined) keepAside(aside, root, path, before)
      const { mode } = statSync(join(staged, path))
      replaceFiles([{ file: to, text, mode: mode & 0o777 }], { links: 'replace', parentMode: 0o755 })
    }
  }
}

function keepAside(aside: string, root: Root, path: string, text: Buffer): void {
  const file = join(aside, root, path)
  if (existsSync(file)) return // of the run that was killed
  replaceFiles([{ file, text, mode: 0o600 }], { links: 'replace', parentMode: 0o700 })
}

function filesBelow(directory: string, inner = ''): string[] {
  if (!existsSync(join(directory, inner))) return []
  return readdirSync(join(directory, inner), { withFileTypes: true }).flatMap((entry) => {
    const path = join(inner, entry.name)
    return entry.isDirectory() ? filesBelow(directory, path) : [path]
  })
}

function giveTo(path: string, owner: { readonly uid: number; readonly gid: number }): void {
  lchownSync(path, owner.uid, owner.gid)
  if (!statSync(path).isDirectory()) return
  for (const name of readdirSync(path)) giveTo(join(path, name), owner)
}

function writePlan(stateDirectory: string, plan: Plan): void {
  const file = join(stateDirectory, RESTORING)
  replaceFiles([{ file, text: JSON.stringify(plan), mode: 0o600 }], { links: 'replace', stagedSuffix: 'new' })
}

function readPlan(stateDirectory: string): Plan | null {
  const file = join(stateDirectory, RESTORING)
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Plan) : null
}
