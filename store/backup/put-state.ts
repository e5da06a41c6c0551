import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { makeDirectories, replaceFiles, syncDirectory } from '../../system/replace-files.ts'
import { SCHEMA_VERSION } from '../sqlite/database.ts'
import { DATABASE_NAMES, DATABASES } from '../sqlite/database-names.ts'
import { inspectDatabase } from '../sqlite/snapshot.ts'
import { lockState } from '../sqlite/state-lock.ts'
import { BackupError } from './chunks.ts'
import type { FileEntry } from './entries.ts'
import { RESTORING } from './restoring.ts'
import { stageFile, syncTree } from './stage.ts'

export type PutOptions = {
  /** Where what is there before goes: a directory in the state directory. */
  readonly aside: string
  /** Whether nothing is replaced. */
  readonly checkOnly: boolean
  /** Whether files elsewhere are replaced afterwards: no daemon starts until `noteWhole`. */
  readonly isHalf: boolean
}

/** What a restore that has begun to replace has still to do; `elsewhere`: nothing in the state directory. */
type Plan = {
  readonly step: 'aside' | 'in' | 'elsewhere'
  readonly aside: string
  readonly isHalf: boolean
}

const PART = '.restore-part'
/** Of a check, which a running daemon does not keep from its work. */
const CHECKED = '.restore-check'
const STAGED = '.restore-new'
/** What stays where it is: models, locks, sockets, and what a restore itself keeps there. */
const STAYS = /^(?:models|gate\.lock|.*\.sock|\.restore-(?:new|part|check)|\.restoring\.json|before-restore-.*)$/
const TLS = 'tls'
/** In `tls`; root's, made by the CA of the host and not in backups. */
const ISSUED = 'ca'

/**
 * Puts the files of a backup in place of a state directory, as the account that it belongs to. All of them are read and
 * checked before anything is replaced. A call that was killed, or failed while it replaced, is finished by the next one.
 * @param files those of the state directory alone @returns whether something was there before
 * @throws BackupError, Error: a daemon runs there; the disk is full
 */
export async function putState(
  directory: string,
  files: AsyncIterable<FileEntry>,
  { aside, checkOnly, isHalf }: PutOptions,
): Promise<boolean> {
  makeDirectories(directory, 0o700)
  const letGo = checkOnly ? () => {} : lockState(directory)
  const part = join(directory, checkOnly ? CHECKED : PART)
  try {
    if (!checkOnly) finish(directory, aside)
    for (const left of [part, join(directory, CHECKED)]) rmSync(left, { recursive: true, force: true })
    mkdirSync(part, { mode: 0o700 })
    for await (const each of files) await stageFile(part, each)
    check(join(part, 'state'))
    if (checkOnly) return false
    syncTree(part)
    rmSync(join(directory, STAGED), { recursive: true, force: true })
    renameSync(part, join(directory, STAGED))
    syncDirectory(directory)
    writePlan(directory, { step: 'aside', aside, isHalf })
    finish(directory, aside)
    return existsSync(aside)
  } finally {
    rmSync(part, { recursive: true, force: true })
    letGo()
  }
}

/** What was to be replaced elsewhere is: a daemon may start. */
export function noteWhole(directory: string): void {
  const letGo = lockState(directory)
  try {
    removePlan(directory)
  } finally {
    letGo()
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

/**
 * Does what is left of a plan; nothing where there is none. Every step may be done twice. Where the staged files are
 * gone, what is there now is to be moved aside when they are staged again.
 */
function finish(directory: string, aside: string): void {
  const plan = readPlan(directory)
  if (plan === null || plan.step === 'elsewhere') return
  const staged = join(directory, STAGED, 'state')
  if (!existsSync(staged)) {
    writePlan(directory, { ...plan, step: 'aside', aside })
    return
  }
  if (plan.step === 'aside') {
    moveEach(directory, plan.aside, (name) => !STAYS.test(name))
    writePlan(directory, { ...plan, step: 'in' })
  }
  moveEach(staged, directory, () => true)
  if (plan.isHalf) writePlan(directory, { ...plan, step: 'elsewhere' })
  else removePlan(directory)
  rmSync(join(directory, STAGED), { recursive: true, force: true })
}

/** The directory `tls` itself stays, since it may be root's; what is in it moves. */
function moveEach(from: string, to: string, moves: (name: string) => boolean): void {
  const inner = isDirectory(join(from, TLS)) ? readdirSync(join(from, TLS)).filter((name) => name !== ISSUED) : null
  const names = readdirSync(from).filter((name) => moves(name) && !(name === TLS && inner !== null))
  if (names.length > 0) moveNames(names, from, to)
  if (inner !== null && inner.length > 0) moveNames(inner, join(from, TLS), join(to, TLS))
}

function moveNames(names: readonly string[], from: string, to: string): void {
  makeDirectories(to, 0o700)
  for (const name of names) renameSync(join(from, name), join(to, name))
  syncDirectory(to)
}

const isDirectory = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true

function writePlan(directory: string, plan: Plan): void {
  const file = join(directory, RESTORING)
  replaceFiles([{ file, text: JSON.stringify(plan), mode: 0o600 }], { links: 'replace', stagedSuffix: 'new' })
}

function readPlan(directory: string): Plan | null {
  const file = join(directory, RESTORING)
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Plan) : null
}

function removePlan(directory: string): void {
  rmSync(join(directory, RESTORING), { force: true })
  syncDirectory(directory)
}
