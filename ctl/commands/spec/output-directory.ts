import { createHash } from 'node:crypto'
import { lstatSync, readFileSync, rmdirSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { manifestSchema } from '../../../schemas/deploy/manifest.ts'
import { makeDirectories, type ReplaceOptions, replaceFiles } from '../../../system/replace-files.ts'
import { type Failure, failure } from '../../failure.ts'

/** What an output directory is to contain. */
export type Made = { readonly path: string; readonly text: string; readonly mode: number }

/** How one file differs from what is to be there; texts are absent where there is no file. */
export type Change = {
  readonly kind: 'create' | 'update' | 'remove'
  readonly path: string
  readonly before: { readonly text: string; readonly mode: number } | undefined
  readonly after: { readonly text: string; readonly mode: number } | undefined
}

export type Plan = {
  readonly directory: string
  readonly changes: readonly Change[]
  /** In the way, and not made by an earlier compilation: nothing is written while there are any. */
  readonly foreign: readonly string[]
  /** Made by an earlier compilation, changed since, and no longer wanted: they stay. */
  readonly kept: readonly string[]
  readonly manifest: string
  /** What the manifest must say while files change, so that a compilation that was cut off can be repeated. */
  readonly interim: string
}

/** Lists the files that the compiler made in a directory, with their SHA-256, so that it can remove them again. */
const MANIFEST = 'gate.manifest.json'

/**
 * Compares a directory with what it is to contain; changes nothing.
 * @throws Failure for a manifest that is not ours, and for what cannot be a directory
 */
export function planOutput(directory: string, made: readonly Made[]): Plan {
  refuseOther(directory)
  const known = readManifest(directory)
  const wanted = new Map(made.map((file) => [file.path, file]))
  const changes: Change[] = []
  const foreign: string[] = []
  const kept: string[] = []
  for (const file of made) {
    const there = readThere(directory, file.path)
    if (there === 'other' || (there !== undefined && !known.has(file.path) && there.text !== file.text))
      foreign.push(file.path)
    else if (there === undefined) changes.push({ kind: 'create', path: file.path, before: undefined, after: file })
    else if (there.text !== file.text || there.mode !== file.mode)
      changes.push({ kind: 'update', path: file.path, before: there, after: file })
  }
  for (const [path, hash] of known) {
    if (wanted.has(path)) continue
    const there = readThere(directory, path)
    if (there === undefined) continue
    if (there === 'other' || sha256(there.text) !== hash) kept.push(path)
    else changes.push({ kind: 'remove', path, before: there, after: undefined })
  }
  const hashes = made.map(({ path, text }) => [path, sha256(text)] as const)
  return {
    directory,
    changes: changes.sort((a, b) => (a.path < b.path ? -1 : 1)),
    foreign,
    kept,
    manifest: manifestText(hashes),
    interim: manifestText([...known, ...hashes]),
  }
}

/** Makes the directory what the plan says: all texts are on the disk before the first file changes. */
export function writeOutput({ directory, changes, manifest, interim }: Plan): void {
  const manifestFile = join(directory, MANIFEST)
  makeDirectories(directory)
  if (changes.length > 0) replaceFiles([{ file: manifestFile, text: interim, mode: 0o644 }], HOW)
  replaceFiles(
    changes.flatMap(({ path, after }) => (after === undefined ? [] : [{ ...after, file: join(directory, path) }])),
    HOW,
  )
  for (const { path, after } of changes) if (after === undefined) removeFile(directory, path)
  if (readThere(directory, MANIFEST) === 'other' || !sameText(manifestFile, manifest))
    replaceFiles([{ file: manifestFile, text: manifest, mode: 0o644 }], HOW)
}

function refuseOther(directory: string): void {
  if (lstatSync(directory, { throwIfNoEntry: false }) === undefined) return
  const there = statSync(directory, { throwIfNoEntry: false })
  if (there?.isDirectory() === true) return
  throw notWritten(directory, there === undefined ? 'is a link to nothing' : 'is not a directory')
}

/** @param reason why nothing can be written there */
export function notWritten(path: string, reason: string, cause?: unknown): Failure {
  const hint = 'name a directory that you can write to: --out DIR'
  return failure('FILE_NOT_WRITTEN', `${path}: ${reason}`, { hint, cause })
}

/** Links are never followed out of the directory. */
export const HOW: ReplaceOptions = { links: 'replace', parentMode: 0o777 }

function readManifest(directory: string): Map<string, string> {
  const there = readThere(directory, MANIFEST)
  if (there === undefined) return new Map()
  try {
    const manifest = there === 'other' ? undefined : manifestSchema.safeParse(JSON.parse(there.text)).data
    if (manifest !== undefined) return new Map(Object.entries(manifest.files))
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
  }
  const detail = `${join(directory, MANIFEST)} is not what this compiler wrote`
  const hint = 'restore it, or choose another directory: without it gatectl cannot know which files it may remove'
  throw failure('INVALID_MANIFEST', detail, { hint })
}

/** A regular file that is not reached through a link; 'other' for everything else that is in its place. */
function readThere(directory: string, path: string): { text: string; mode: number } | 'other' | undefined {
  const steps = path.split('/')
  for (let i = 1; i < steps.length; i++) {
    const parent = lstatSync(join(directory, ...steps.slice(0, i)), { throwIfNoEntry: false })
    if (parent === undefined) return undefined
    if (!parent.isDirectory()) return 'other'
  }
  const stat = lstatSync(join(directory, path), { throwIfNoEntry: false })
  if (stat === undefined) return undefined
  return stat.isFile() ? { text: readFileSync(join(directory, path), 'utf8'), mode: stat.mode & 0o7777 } : 'other'
}

/** Removes the file, and the directories that held nothing else. */
function removeFile(directory: string, path: string): void {
  rmSync(join(directory, path))
  for (let parent = dirname(path); parent !== '.'; parent = dirname(parent)) {
    try {
      rmdirSync(join(directory, parent))
    } catch {
      return // something else is in it
    }
  }
}

function sameText(file: string, text: string): boolean {
  try {
    return readFileSync(file, 'utf8') === text
  } catch {
    return false
  }
}

function manifestText(files: readonly (readonly [string, string])[]): string {
  const sorted = Object.fromEntries([...new Map(files)].sort(([a], [b]) => (a < b ? -1 : 1)))
  return `${JSON.stringify({ version: 1, files: sorted }, null, 2)}\n`
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
