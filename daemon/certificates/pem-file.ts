import { constants } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { codeOf } from '../../system/error-code.ts'

/** Longer than any chain with its key. */
const MAX_FILE_BYTES = 2 ** 20
/** A file on a mount whose server is gone is never read. */
const DEADLINE_MS = 5_000

/**
 * Reads files beside what serves requests, each once at a time: one that does not answer holds up no other.
 * @returns a function that reads a file @throws Error that says what is wrong with the file, and what to do
 */
export function pemReader(deadlineMs = DEADLINE_MS, read = readPem): (file: string) => Promise<string> {
  const hanging = new Set<string>()
  return async (file) => {
    const late = new Error(`${file} cannot be read: what it is on did not answer within ${deadlineMs} ms`)
    if (hanging.has(file)) throw late
    hanging.add(file)
    const reading = read(file).finally(() => hanging.delete(file))
    let timer: NodeJS.Timeout | undefined
    const deadline = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(late), deadlineMs)
    })
    return await Promise.race([reading, deadline]).finally(() => clearTimeout(timer))
  }
}

async function readPem(file: string): Promise<string> {
  try {
    const { size } = await statRegular(file)
    if (size > MAX_FILE_BYTES)
      throw new Error(`${file} is too long for PEM: ${size} of at most ${MAX_FILE_BYTES} bytes`)
    const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK)
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(size), 0, size, 0)
      return buffer.toString('utf8', 0, bytesRead)
    } finally {
      await handle.close()
    }
  } catch (error) {
    throw explained(file, error)
  }
}

/** Before it is opened: to open a pipe or a device may wait, or do something. */
async function statRegular(file: string) {
  const found = await stat(file)
  if (!found.isFile()) throw new Error(`${file} is not a regular file`)
  return found
}

function explained(file: string, cause: unknown): unknown {
  const code = codeOf(cause)
  switch (code) {
    case '':
      return cause
    case 'ENOENT':
      return new Error(`there is no file ${file} (ENOENT)`, { cause })
    case 'EACCES':
    case 'EPERM':
      return new Error(`${file} has to be readable for ${account()}, with the directories above it (${code})`, {
        cause,
      })
    default:
      return new Error(`${file} cannot be read (${code})`, { cause })
  }
}

function account(): string {
  try {
    return `the account "${userInfo().username}"`
  } catch {
    return `the account of the daemon, uid ${process.geteuid?.()}` // it has no name here
  }
}
