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
const O_PATH = 0o10000000

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
  let at = openPath('/')
  try {
    const left = namesIn(resolve(path))
    for (let links = 0, name = left.shift(); name !== undefined; name = left.shift()) {
      const place = `${pathTo(at)}/${name}`
      if (lstatSync(place).isSymbolicLink()) {
        if (!isOurs(at) || ++links > LINKS_MAX) throw loop(path)
        const target = readlinkSync(place)
        left.unshift(...namesIn(target))
        if (isAbsolute(target)) at = replaced(at, '/')
      } else at = replaced(at, place)
    }
  } catch (error) {
    closeSync(at)
    throw error
  }
  return { at: pathTo(at), release: () => closeSync(at) }
}

const pathTo = (descriptor: number) => `/proc/self/fd/${descriptor}`
const namesIn = (path: string) => path.split('/').filter((name) => name !== '' && name !== '.')

function replaced(before: number, path: string): number {
  const next = openPath(path)
  closeSync(before)
  return next
}

function openPath(path: string): number {
  const { O_DIRECTORY, O_NOFOLLOW } = constants
  return openSync(path, O_PATH | O_DIRECTORY | O_NOFOLLOW)
}

/** Whether only root and our own account decide what is in a directory. A user's group is often that user alone. */
function isOurs(descriptor: number): boolean {
  const { uid, mode } = fstatSync(descriptor)
  const self = process.getuid?.()
  return (uid === 0 || uid === self) && (mode & (self === 0 ? 0o022 : 0o002)) === 0
}

function loop(path: string): Error {
  return Object.assign(new Error(`ELOOP: a link of another account, ${path}`), { code: 'ELOOP' })
}
