import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'

const { O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants

/**
 * Text of a file in a directory that another account owns. No link below `top` is followed, at no moment: each step is
 * opened from the one before it, so that root is not led to another file, a device or a pipe that never ends.
 * @param inner path below `top`
 * @returns undefined for anything but a file of at most `mostBytes`
 * @see openat(2): /proc/self/fd refers to the directory, which Node cannot pass
 */
export function readUntrusted(top: string, inner: string, mostBytes: number): string | undefined {
  const names = inner.split('/')
  const opened: number[] = []
  try {
    opened.push(openSync(top, O_RDONLY | O_DIRECTORY))
    for (const [i, name] of names.entries()) {
      const kind = i === names.length - 1 ? O_NONBLOCK : O_DIRECTORY
      opened.push(openSync(`/proc/self/fd/${opened.at(-1)}/${name}`, O_RDONLY | O_NOFOLLOW | kind))
    }
    return readWhole(opened.at(-1) ?? -1, mostBytes)
  } catch (error) {
    if (error instanceof Error && 'code' in error && UNUSABLE.has(String(error.code))) return undefined
    throw error
  } finally {
    for (const descriptor of opened) closeSync(descriptor)
  }
}

/** Not there, not for this caller, a link, or no file. */
const UNUSABLE = new Set(['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM', 'ELOOP', 'EMLINK', 'ENXIO', 'ENODEV', 'EIO'])

function readWhole(descriptor: number, mostBytes: number): string | undefined {
  const found = fstatSync(descriptor)
  const { size } = found
  if (!found.isFile() || size > mostBytes) return undefined
  const bytes = Buffer.alloc(size)
  let length = 0
  while (length < size) {
    const more = readSync(descriptor, bytes, length, size - length, null)
    if (more === 0) break
    length += more
  }
  return bytes.toString('utf8', 0, length)
}
