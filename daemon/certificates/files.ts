import { type FSWatcher, watch } from 'node:fs'
import { dirname } from 'node:path'
import { guarded } from '../../system/background.ts'
import { pemReader } from './pem-file.ts'
import { type Served, servedStatus, toServed } from './served.ts'
import type { Source, SourceParts, SourceStatus } from './source.ts'

/** A program that writes both files has this long, before a pair that does not fit is an error. */
const SETTLE_MS = 2_000
/** What changes in the directories within this time is looked at once. */
const GATHER_MS = 100

const LOOK_FAILED = 'a certificate in files could not be looked at'

/**
 * A certificate and a key that another program keeps fresh: watched, and looked at again at each check. They are served
 * when they fit together; until then those before are.
 */
export function filesSource(
  files: { readonly cert: string; readonly key: string },
  { log, now, monotonic, changed }: SourceParts,
): Source {
  let served: Served | undefined
  let refused: { readonly reason: string; readonly sinceMs: number; isSaid: boolean } | undefined
  let settling: NodeJS.Timeout | undefined
  let gathering: NodeJS.Timeout | undefined
  const reloads = { succeeded: 0, failed: 0 }

  const readPem = pemReader()
  let looking: Promise<void> | undefined
  let isStale = false
  let isClosed = false

  /** @returns when what is there now has been seen */
  function look(): Promise<void> {
    isStale = true
    looking ??= lookWhileStale().finally(() => {
      looking = undefined
    })
    return looking
  }

  async function lookWhileStale(): Promise<void> {
    while (isStale && !isClosed) {
      isStale = false
      const read = await readFiles().catch(reasonOf)
      if (isClosed) return
      if (typeof read === 'string') refuse(read)
      else serve(read)
    }
  }

  const isValid = ({ life }: Served): boolean => life.fromMs <= now() && now() < life.toMs

  async function readFiles(): Promise<Served> {
    const next = toServed({ cert: await readPem(files.cert), key: await readPem(files.key) }, [], files)
    if (served !== undefined && isValid(served) && !isValid(next)) {
      const { fromMs, toMs } = next.life
      const [from, to] = [new Date(fromMs).toISOString(), new Date(toMs).toISOString()]
      throw new Error(`${files.cert} is valid from ${from} to ${to}, not now`)
    }
    return next
  }

  function lookSoon(): void {
    const lookNow = guarded(log, LOOK_FAILED, () => {
      gathering = undefined
      return look()
    })
    gathering ??= setTimeout(lookNow, GATHER_MS).unref()
  }

  function refuse(reason: string): void {
    if (refused?.reason !== reason) refused = { reason, sinceMs: monotonic(), isSaid: false }
    if (refused.isSaid) return
    const waitedMs = monotonic() - refused.sinceMs
    if (served !== undefined && waitedMs < SETTLE_MS) {
      clearTimeout(settling)
      settling = setTimeout(guarded(log, LOOK_FAILED, look), SETTLE_MS).unref()
      return
    }
    refused.isSaid = true
    reloads.failed++
    const consequence = served === undefined ? 'no certificate is served' : 'those before are still served'
    log('error', `the files of the certificate cannot be used: ${consequence}`, {
      file: files.cert,
      error: reason,
    })
  }

  function serve(next: Served): void {
    refused = undefined
    if (served?.pair.cert === next.pair.cert && served.pair.key === next.pair.key) return
    if (served !== undefined) reloads.succeeded++
    served = next
    const until = new Date(next.life.toMs).toISOString()
    log('info', 'certificate read', { domain: next.identity.names[0] ?? '', source: 'files', file: files.cert, until })
    changed()
  }

  const watchers = new Map<string, FSWatcher>()
  /** Their directories: files are replaced, and a watched file is gone then. */
  function watchDirectories(): void {
    for (const directory of new Set([dirname(files.cert), dirname(files.key)])) {
      if (watchers.has(directory)) continue
      try {
        const watcher = watch(directory, { persistent: false }, lookSoon)
        watcher.once('error', () => drop(directory))
        watchers.set(directory, watcher)
      } catch {
        // it is not there yet, or may not be watched: checks look at the files
      }
    }
  }
  function drop(directory: string): void {
    watchers.get(directory)?.close()
    watchers.delete(directory)
  }

  watchDirectories()
  return {
    ready: look(),
    identities: () => (served === undefined ? [] : [served.identity]),
    status(): readonly SourceStatus[] {
      const names = served?.identity.names ?? []
      const reason = refused?.isSaid === true ? refused.reason : undefined
      return [
        {
          name: names[0] ?? files.cert,
          names: [...names],
          source: 'files',
          path: files.cert,
          ...(served !== undefined && { served: servedStatus(served.pair, served.life) }),
          renewing: false,
          renewals: { ...reloads },
          ...(reason !== undefined && { refused: reason }),
        },
      ]
    },
    async check() {
      watchDirectories()
      await look()
    },
    async renew(name) {
      if (name !== (served?.identity.names[0] ?? files.cert)) return false
      await look()
      if (refused !== undefined) throw new Error(refused.reason)
      return true
    },
    close() {
      isClosed = true
      clearTimeout(settling)
      clearTimeout(gathering)
      for (const directory of [...watchers.keys()]) drop(directory)
    },
  }
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
