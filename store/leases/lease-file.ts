import { closeSync, fdatasync, fdatasyncSync, openSync, readFileSync, writeSync } from 'node:fs'
import type { LeaseName, LeaseStore } from '../../daemon/admit/leases.ts'
import { GateError } from '../../schemas/words/errors.ts'
import { codeOf } from '../../system/error-code.ts'
import { replaceFiles } from '../../system/replace-files.ts'

/** The file is written anew, without what is over, when it has grown by this much. */
const MOST_BYTES = 2 ** 20
/** A window that began longer ago than any lasts is over: months have 31 days, and clocks may be a day wrong. */
const LONGEST_MS = 33 * 86_400_000

/** How an open file is appended to, and the disk told of it; a test may hand over a full one. */
type Disk = {
  readonly write: (fd: number, bytes: Buffer, offset: number) => number
  readonly sync: (fd: number, done: () => void) => void
}
const DISK: Disk = { write: writeSync, sync: fdatasync }

/**
 * Leases in a file (mode 0600), a line of JSON for each that was extended: `[budget, subject, start of the window, up to
 * which amount]`, of which the last counts. What is written outlives `kill -9` at once, and a power cut a moment later;
 * a line that a kill has torn was for nothing that was sent.
 * @param now Unix milliseconds
 */
export function openLeaseFile(
  path: string,
  now: () => number,
  { write, sync: tellDisk }: Disk = DISK,
): LeaseStore & { readonly close: () => void } {
  const leases = read(path)
  let fd: number | null = null
  let bytes = 0
  /** The descriptor that the disk is being told of; it is not closed before that has ended. */
  let syncing: number | null = null
  /** Something was appended since that began. */
  let hasMore = false

  /** Without what is over, in a file of its own that then takes the place of the other. */
  function rewrite(): void {
    leave()
    for (const [key, lease] of leases) if (lease.name.windowStartMs < now() - LONGEST_MS) leases.delete(key)
    const text = [...leases.values()].map(({ name, upTo }) => line(name, upTo)).join('')
    replaceFiles([{ file: path, text, mode: 0o600 }], { links: 'replace', stagedSuffix: '-new' })
    fd = openSync(path, 'a', 0o600)
    bytes = 0
  }

  /** The disk is told in the background: what waits for it waits for milliseconds. */
  function sync(): void {
    if (fd === null) return
    hasMore = syncing !== null
    if (syncing !== null) return
    const own = fd
    syncing = own
    tellDisk(own, () => {
      syncing = null
      if (fd !== own) closeSync(own)
      if (hasMore) sync()
    })
  }

  /** Closes the file, where it is in use after that. */
  function leave(): void {
    if (fd !== null && fd !== syncing) closeSync(fd)
    fd = null
  }

  function append(text: string): void {
    if (fd === null || bytes > MOST_BYTES) rewrite()
    if (fd === null) return
    const written = Buffer.from(text)
    let at = 0
    try {
      while (at < written.length) at += write(fd, written, at)
      bytes += written.length
    } catch (error) {
      leave() // the next one begins with whole lines again
      throw error
    }
    sync()
  }

  return {
    find: (name) => leases.get(keyOf(name))?.upTo ?? 0,
    put(name, upTo) {
      const key = keyOf(name)
      const before = leases.get(key)
      const { budget, subject, windowStartMs } = name
      leases.set(key, { name: { budget, subject, windowStartMs }, upTo })
      try {
        append(line(name, upTo))
      } catch (error) {
        if (before === undefined) leases.delete(key)
        else leases.set(key, before)
        const reason = codeOf(error) || (error instanceof Error ? error.message : String(error))
        const message = `what budgets allow cannot be recorded (${reason}), so requests that cost money are refused`
        throw new GateError('STORE_UNAVAILABLE', message, { cause: error })
      }
    },
    close() {
      if (hasMore && fd !== null) fdatasyncSync(fd)
      leave()
    },
  }
}

type Lease = { readonly name: LeaseName; readonly upTo: number }

const keyOf = ({ budget, subject, windowStartMs }: LeaseName): string => `${windowStartMs} ${budget} ${subject}`

const line = ({ budget, subject, windowStartMs }: LeaseName, upTo: number): string =>
  `${JSON.stringify([budget, subject, windowStartMs, upTo])}\n`

function read(path: string): Map<string, Lease> {
  const leases = new Map<string, Lease>()
  for (const text of textOf(path).split('\n')) {
    const lease = leaseIn(text)
    if (lease !== null) leases.set(keyOf(lease.name), lease)
  }
  return leases
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return ''
    throw error
  }
}

/** @returns null: the line was torn, or is not one */
function leaseIn(text: string): Lease | null {
  try {
    const [budget, subject, windowStartMs, upTo]: unknown[] = JSON.parse(text)
    const isWhole =
      typeof budget === 'string' &&
      typeof subject === 'string' &&
      typeof windowStartMs === 'number' &&
      typeof upTo === 'number'
    return isWhole ? { name: { budget, subject, windowStartMs }, upTo } : null
  } catch {
    return null
  }
}
