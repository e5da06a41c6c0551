import { randomUUID } from 'node:crypto'
import {
  closeSync,
  existsSync,
  fchmodSync,
  fchownSync,
  fsyncSync,
  futimesSync,
  mkdirSync,
  openSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'

/** What a file is to be. The mode is exact, whatever the umask is. */
export type NewFile = {
  readonly file: string
  readonly text: string | Uint8Array
  readonly mode: number
  /** Unix milliseconds; now when absent. */
  readonly modifiedMs?: number
  /** Group that it belongs to from the first moment; that of the process when absent. */
  readonly gid?: number
}

export type ReplaceOptions = {
  /**
   * follow: a link stays, and the file that it leads to is replaced. replace: the link itself gives way to the file.
   */
  readonly links: 'follow' | 'replace'
  /** Mode of directories that are made for the files, less the umask; without it they must be there. */
  readonly parentMode?: number
  /**
   * Suffix of the staged files where one process writes at a time, which then removes what a killed one left; random
   * when absent.
   */
  readonly stagedSuffix?: string
}

/**
 * Replaces files so that each is either the old or the new one at any moment, in the given order, and on the disk when
 * this returns. All texts are on the disk before the first file changes: a full disk changes nothing.
 * @throws the system's error; staged files are gone then
 */
export function replaceFiles(files: readonly NewFile[], options: ReplaceOptions): void {
  const staged: { readonly at: string; readonly file: string }[] = []
  try {
    for (const { file: named, ...content } of files) {
      const file = options.links === 'follow' ? followed(named) : named
      const at = stagedName(file, options.stagedSuffix)
      if (options.parentMode !== undefined) makeDirectories(dirname(file), options.parentMode)
      if (options.stagedSuffix !== undefined) rmSync(at, { force: true })
      staged.push({ at, file })
      stage(at, content)
    }
    for (const { at, file } of staged) renameSync(at, file)
  } catch (error) {
    for (const { at } of staged) rmSync(at, { force: true })
    throw error
  }
  for (const directory of new Set(staged.map(({ file }) => dirname(file)))) syncDirectory(directory)
}

/**
 * Makes a directory and those above it that are not there. Node's `recursive` never returns where the kernel says that
 * a parent is missing which is there, as in /proc.
 * @throws the system's error
 */
export function makeDirectories(path: string, mode?: number): void {
  const made = makeDirectory(path, mode)
  if (made === 'no-parent') {
    makeDirectories(dirname(path), mode)
    mkdirSync(path, mode)
  }
}

function makeDirectory(path: string, mode: number | undefined): 'there' | 'no-parent' {
  try {
    mkdirSync(path, mode)
    return 'there'
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'EEXIST' && statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return 'there'
    if (code === 'ENOENT' && !existsSync(dirname(path))) return 'no-parent'
    throw error
  }
}

/**
 * Makes a link, in place of another link or a file; it is the old or the new one at any moment.
 * @throws the system's error
 */
export function replaceLink(path: string, target: string, options: { readonly stagedSuffix: string }): void {
  const at = stagedName(path, options.stagedSuffix)
  rmSync(at, { force: true })
  symlinkSync(target, at)
  renameSync(at, path)
  syncDirectory(dirname(path))
}

/** Makes renames in it durable. */
export function syncDirectory(directory: string): void {
  const descriptor = openSync(directory, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

/** In the directory of the file, because a rename between file systems is none. */
export function stagedName(file: string, suffix: string = randomUUID()): string {
  return join(dirname(file), `.${basename(file)}.${suffix}`)
}

function stage(at: string, { text, mode, modifiedMs, gid }: Omit<NewFile, 'file'>): void {
  const descriptor = openSync(at, 'wx', mode) // by name it may be another one a moment later
  try {
    writeFileSync(descriptor, text)
    if (gid !== undefined) fchownSync(descriptor, -1, gid)
    fchmodSync(descriptor, mode)
    if (modifiedMs !== undefined) futimesSync(descriptor, modifiedMs / 1000, modifiedMs / 1000)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

/** As many links in a row as Linux follows. @see path_resolution(7) */
const LINKS_MAX = 40

/** Where a path leads, be there a file at its end or not. @throws ELOOP */
export function followed(path: string): string {
  let at = path
  for (let links = 0; links <= LINKS_MAX; links++) {
    const target = linkTarget(at)
    if (target === undefined) return at
    at = resolve(dirname(at), target)
  }
  throw Object.assign(new Error(`ELOOP: too many links, ${path}`), { code: 'ELOOP' })
}

/** Undefined for what is not a link. */
function linkTarget(path: string): string | undefined {
  try {
    return readlinkSync(path)
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'EINVAL' || error.code === 'ENOENT'))
      return undefined
    throw error
  }
}
