import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import type { Log } from '../../../schemas/words/log.ts'
import { codeOf } from '../../../system/error-code.ts'
import { replaceFiles } from '../../../system/replace-files.ts'

export type LogWatchParts = {
  readonly stateDirectory: string
  /** `relay.ct_log`, as it is now. */
  readonly search: () => string | undefined
  readonly names: () => readonly string[]
  /** Serial numbers of the certificates that are served, hexadecimal. */
  readonly served: () => readonly string[]
  /** Fetches a text. @throws Error that says why not */
  readonly fetch: (url: string, signal: AbortSignal) => Promise<string>
  /** Is told once of each certificate that this daemon did not get. */
  readonly found: (name: string, serial: string) => void
  /** Unix milliseconds. */
  readonly now: () => number
  readonly log: Log
}

/** How often serial numbers of new certificates are noted. */
const NOTE_MS = 60_000
const ASK_MS = 12 * 3_600_000
/** The latest ones that are kept, of own certificates and of others. */
const MOST_SERIALS = 1_000

/** Of one name in one round; the others are counted, and told in the next rounds. */
const MOST_TOLD = 20

/** As crt.sh answers; a log search of another kind can be put before it that answers the same. */
const entries = z.array(z.object({ serial_number: z.string().max(64), not_after: z.string().max(40).optional() }))

/**
 * Looks into public logs of certificates for one that this daemon did not get: whoever carries its visitors, or has its
 * zone, could read them with it. It tells, and cannot prevent.
 */
export function createLogWatch(parts: LogWatchParts) {
  const { search, names, served, now, log } = parts
  const file = join(parts.stateDirectory, 'relay/serials.json')
  const kept = readKept(file)
  const own = new Set(kept.own)
  const told = new Map(kept.told.map((one) => [`${one.name} ${one.serial}`, one]))
  const stopping = new AbortController()
  let latest: { readonly askedAtMs: number; readonly error: string | undefined } | null = null

  let round: Promise<void> | null = null
  let isWantedAgain = false

  function note(): void {
    const news = served()
      .map(plain)
      .filter((serial) => !own.has(serial))
    for (const serial of news) own.add(serial)
    if (news.length > 0) save()
  }

  function save(): void {
    for (const kept of [own, told]) for (const oldest of [...kept.keys()].slice(0, -MOST_SERIALS)) kept.delete(oldest)
    const text = JSON.stringify({ own: [...own], told: [...told.values()] })
    try {
      replaceFiles([{ file, text: `${text}\n`, mode: 0o600 }], {
        links: 'replace',
        parentMode: 0o700,
        stagedSuffix: 'new',
      })
    } catch (error) {
      log('error', 'serial numbers of certificates are in memory alone', { file, error: codeOf(error) })
    }
  }

  /** One round at a time: what is asked for during one has one after it. */
  function ask(): Promise<void> {
    isWantedAgain = true
    round ??= rounds().finally(() => {
      round = null
    })
    return round
  }

  async function rounds(): Promise<void> {
    while (isWantedAgain && !stopping.signal.aborted) {
      isWantedAgain = false
      await searchAll()
    }
  }

  async function searchAll(): Promise<void> {
    const url = search()
    if (url === undefined || names().length === 0) return
    note()
    let error: string | undefined
    for (const name of names()) {
      try {
        look(name, await parts.fetch(url.replaceAll('{name}', encodeURIComponent(name)), stopping.signal))
      } catch (reason) {
        if (stopping.signal.aborted) return
        error = reason instanceof Error ? reason.message : String(reason)
      }
    }
    if (error !== undefined) log('warn', 'the logs of certificates could not be searched', { error })
    latest = { askedAtMs: now(), error }
  }

  /** @throws Error for what is no list of certificates */
  function look(name: string, text: string): void {
    const found = entries.safeParse(JSON.parse(text))
    if (!found.success) throw new Error('the answer is not a list with "serial_number"')
    const valid = found.data.filter(({ not_after: until }) => until === undefined || !(Date.parse(until) < now()))
    const serials = new Set(valid.map(({ serial_number: serial }) => plain(serial)))
    const unknown = [...serials].filter((serial) => !own.has(serial) && !told.has(`${name} ${serial}`))
    const news = unknown.slice(0, MOST_TOLD)
    for (const serial of news) told.set(`${name} ${serial}`, { name, serial })
    if (news.length > 0) save()
    for (const serial of news) parts.found(name, serial)
    if (unknown.length > news.length)
      log('error', 'more certificates were found that this gateway did not get', {
        domain: name,
        count: unknown.length - news.length,
      })
  }

  const noting = setInterval(note, NOTE_MS).unref()
  const asking = setInterval(() => void ask(), ASK_MS).unref()
  return {
    /** Searches now; never rejects. */
    ask,
    status: () =>
      latest === null ? null : { ...latest, unknown: [...told.values()].filter(({ name }) => names().includes(name)) },
    stop(): void {
      stopping.abort()
      clearInterval(noting)
      clearInterval(asking)
    },
  }
}

/** As two programs write the same number: without zeros before it, in lower case. */
const plain = (serial: string): string => serial.toLowerCase().replace(/^(?:0x)?0*/, '')

const keptShape = z.object({
  own: z.array(z.string()).default([]),
  told: z.array(z.object({ name: z.string(), serial: z.string() })).default([]),
})

function readKept(file: string): z.output<typeof keptShape> {
  try {
    return keptShape.parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch {
    return { own: [], told: [] } // what is lost is told once more
  }
}
