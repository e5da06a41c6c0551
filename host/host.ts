import {
  chmodSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  rmSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { codeOf } from '../system/error-code.ts'
import { replaceFiles, replaceLink, syncDirectory } from '../system/replace-files.ts'
import { HostError, type HostProblem, reasonOf } from './problem.ts'
import { type Ran, type RunOptions, runProgram } from './program.ts'
import { readUntrusted } from './untrusted-file.ts'

export type FileStatus = {
  readonly kind: 'file' | 'directory' | 'link' | 'other'
  /** Permission bits. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Names that it has in its file system. */
  readonly links: number
  /** Of a link. */
  readonly target: string | undefined
  readonly modifiedMs: number
  /** Of the last change of any kind, which nobody can set back. */
  readonly changedMs: number
}

/** Everything that observing needs; nothing of it changes the host. All paths are absolute. */
export type HostView = {
  /** Text of a file, links followed; undefined when it is not there. @throws HostError NOT_READABLE */
  read(path: string): string | undefined
  /**
   * Text of a file below a directory that is not root's; undefined when it is none, is too large, or is reached through
   * a link.
   */
  readUntrusted(top: string, inner: string): string | undefined
  /** Of the path itself: a link is not followed. */
  status(path: string): FileStatus | undefined
  /** Names in a directory in order; none when it is not there or cannot be read. */
  list(path: string): readonly string[]
  /** Runs a program that changes nothing. */
  ask(command: readonly string[], options?: RunOptions): Promise<Ran>
}

/** A host that can be changed. Each of these is one effect: an apply may be cut off before any of them. */
export type Host = HostView & {
  /** Replaces a file: it is the old or the new one at any moment, and on the disk when this returns. */
  write(
    path: string,
    text: string | Uint8Array,
    mode: number,
    options?: { readonly modifiedMs?: number; readonly gid?: number },
  ): void
  /** Makes a link, in place of another link. */
  link(path: string, target: string): void
  makeDirectory(path: string, mode: number): void
  /**
   * Makes it root's and this group's. Only root may change it then, and links are not followed; the caller sees to it
   * that no other account can change the directory that it is in.
   */
  takeOwnership(path: string, gid: number): void
  rename(from: string, to: string): void
  /** Removes a file or a link, if it is there. */
  remove(path: string): void
  /** Removes a directory if nothing is in it. */
  removeEmpty(path: string): void
  removeTree(path: string): void
  /** Runs a program that changes something. Does not throw when it fails. */
  run(command: readonly string[], options?: RunOptions): Promise<Ran>
}

/** podman's list of a user's images has about 2 KiB for each. */
const UNTRUSTED_BYTES_MAX = 16 * 2 ** 20

/** One apply at a time works on a host, and no user's link leads root elsewhere. */
const HOW = { links: 'replace', stagedSuffix: 'gatectl-new' } as const

/** The host that this process runs on. */
export function localHost(): Host {
  return {
    read: readText,
    readUntrusted: (top, inner) => readUntrusted(top, inner, UNTRUSTED_BYTES_MAX),
    status: statusOf,
    list: listNames,
    ask: runProgram,
    run: runProgram,
    write: (path, text, mode, options) =>
      writing(path, () => replaceFiles([{ file: path, text, mode, ...options }], HOW)),
    link: (path, target) => writing(path, () => replaceLink(path, target, HOW)),
    makeDirectory: (path, mode) => writing(path, () => makeDirectory(path, mode)),
    takeOwnership: (path, gid) => writing(path, () => takeOwnership(path, gid)),
    rename: (from, to) => writing(to, () => renameDirectory(from, to)),
    remove: (path) => writing(path, () => rmSync(path, { force: true })),
    removeEmpty: (path) => writing(path, () => removeEmpty(path)),
    removeTree: (path) => writing(path, () => rmSync(path, { recursive: true, force: true })),
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (isAbsent(error)) return undefined
    throw new HostError({ code: 'NOT_READABLE', message: `${path}: ${reasonOf(error)}`, hint: 'run it as root' })
  }
}

function statusOf(path: string): FileStatus | undefined {
  try {
    const found = lstatSync(path)
    const isLink = found.isSymbolicLink()
    return {
      kind: isLink ? 'link' : found.isFile() ? 'file' : found.isDirectory() ? 'directory' : 'other',
      mode: found.mode & 0o7777,
      uid: found.uid,
      gid: found.gid,
      links: found.nlink,
      target: isLink ? readlinkSync(path) : undefined,
      modifiedMs: found.mtimeMs,
      changedMs: found.ctimeMs,
    }
  } catch (error) {
    if (isAbsent(error) || codeOf(error) === 'EACCES') return undefined
    throw error
  }
}

function listNames(path: string): readonly string[] {
  try {
    return readdirSync(path).sort()
  } catch (error) {
    if (isAbsent(error) || codeOf(error) === 'EACCES') return []
    throw error
  }
}

function renameDirectory(from: string, to: string): void {
  renameSync(from, to)
  syncDirectory(dirname(to))
}

function makeDirectory(path: string, mode: number): void {
  try {
    mkdirSync(path, { mode })
    chmodSync(path, mode)
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
  }
}

function takeOwnership(path: string, gid: number): void {
  lchownSync(path, 0, gid)
  const found = lstatSync(path)
  if (!found.isSymbolicLink()) chmodSync(path, found.mode & 0o755)
}

function removeEmpty(path: string): void {
  try {
    rmdirSync(path)
  } catch (error) {
    if (!['ENOENT', 'ENOTEMPTY', 'EEXIST', 'EBUSY'].includes(codeOf(error))) throw error
  }
}

/** Says of a failed change where, why and what to do. */
function writing(path: string, change: () => void): void {
  try {
    change()
  } catch (error) {
    if (codeOf(error) === '') throw error
    throw new HostError(writeProblem(path, error))
  }
}

function writeProblem(path: string, error: unknown): HostProblem {
  const message = `${path}: ${reasonOf(error)}`
  if (codeOf(error) === 'ENOSPC' || codeOf(error) === 'EDQUOT')
    return { code: 'DISK_FULL', message, hint: `make room on the file system of ${dirname(path)}, then do it again` }
  if (codeOf(error) === 'EROFS') return { code: 'NOT_WRITABLE', message, hint: 'its file system is read-only' }
  return { code: 'NOT_WRITABLE', message }
}

function isAbsent(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR', 'ELOOP'].includes(codeOf(error))
}
