import { closeSync, constants, fstatSync, lstatSync, openSync, readlinkSync } from 'node:fs'
import { isAbsolute, resolve } from 'node:path'

/** A directory that stays the same one whatever its path leads to by now. */
export type HeldDirectory = {
  /** A path to it, for names right below. */
  readonly at: string
  /** `at` leads nowhere from then on. */
  release(): void
}

/** On Linux; open(2). Needs no permission to read the directory, and opens a link itself. */
export const O_PATH = 0o10000000

/** As many links in a row as Linux follows. @see path_resolution(7) */
const LINKS_MAX = 40

/**
 * Opens a directory step by step, each from the one before it. A link is followed only where no other account than root
 * and our own may put one, so that a command of root's does not write to where another user leads it.
 * @throws the system's error, or one with the code ELOOP for a link of another account
 */
export function holdDirectory(path: string): HeldDirectory {
  // elsewhere there is no path to an open directory
  if (process.platform !== 'linux') return { at: path, release: () => {} }
  const at = openStepwise(path, openPath)
  return { at: pathTo(at), release: () => closeSync(at) }
}

/**
 * Opens a file to read, step by step as `holdDirectory` does, so that no link of another account leads root to a file
 * that this account may not read.
 * @returns its descriptor, which the caller closes
 * @throws the system's error, or one with the code ELOOP for a link of another account, EINVAL for what is not a file
 */
export function openHeldFile(path: string): number {
  if (process.platform !== 'linux') return openSync(path, 'r')
  const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants
  // without O_NONBLOCK, opening a named pipe waits for its writer
  const opened = openStepwise(path, (place, isLast) =>
    isLast ? openSync(place, O_RDONLY | O_NOFOLLOW | O_NONBLOCK) : openPath(place),
  )
  if (fstatSync(opened).isFile()) return opened
  closeSync(opened)
  throw Object.assign(new Error(`EINVAL: not a file, ${path}`), { code: 'EINVAL' })
}

function openStepwise(path: string, open: (place: string, isLast: boolean) => number): number {
  let at = openPath('/')
  try {
    const left = namesIn(resolve(path))
    for (let links = 0, name = left.shift(); name !== undefined; name = left.shift()) {
      const place = `${pathTo(at)}/${name}`
      if (lstatSync(place).isSymbolicLink()) {
        if (!isOurs(at) || ++links > LINKS_MAX) throw loop(path)
        const target = readlinkSync(place)
        left.unshift(...namesIn(target))
        if (isAbsolute(target)) at = replaced(at, openPath('/'))
      } else {
        const next = open(place, left.length === 0)
        const opened = fstatSync(next)
        // a second name for a file is a link, too, where fs.protected_hardlinks is off
        if (opened.isFile() && opened.nlink > 1 && !isOurs(at)) {
          closeSync(next)
          throw loop(path)
        }
        at = replaced(at, next)
      }
    }
  } catch (error) {
    closeSync(at)
    throw error
  }
  return at
}

export const pathTo = (descriptor: number) => `/proc/self/fd/${descriptor}`
const namesIn = (path: string) => path.split('/').filter((name) => name !== '' && name !== '.')

function replaced(before: number, next: number): number {
  closeSync(before)
  return next
}

function openPath(path: string): number {
  const { O_DIRECTORY, O_NOFOLLOW } = constants
  return openSync(path, O_PATH | O_DIRECTORY | O_NOFOLLOW)
}

/** Whether only root and our own account decide what is in a directory. A user's group is often that user alone. */
export function isOurs(descriptor: number): boolean {
  const { uid, mode } = fstatSync(descriptor)
  const self = process.getuid?.()
  return (uid === 0 || uid === self) && (mode & (self === 0 ? 0o022 : 0o002)) === 0
}

function loop(path: string): Error {
  return Object.assign(new Error(`ELOOP: a link of another account, ${path}`), { code: 'ELOOP' })
}
