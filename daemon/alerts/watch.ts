import type { Log } from '../../schemas/words/log.ts'
import { guarded } from '../../system/background.ts'
import type { TellAlert } from './alert.ts'

export type Watched = {
  readonly alert: TellAlert
  readonly log: Log
  readonly backends: () => readonly { readonly name: string; readonly state: string; readonly reason?: string }[]
  readonly upstreams: () => readonly { readonly name: string; readonly state: string; readonly last_error?: string }[]
  /** Of the file system that Gate keeps things on. */
  readonly disk: () => Promise<{ readonly freeBytes: number; readonly totalBytes: number }>
}

const EVERY_MS = 10_000
/** An upstream that is down for so many looks is dead; one look may meet a restart. */
const LOOKS_DOWN = 6
const MOST_UPSTREAMS = 1_000

/** A disk is nearly full when both hold, and has room again when there is half as much more. */
const FREE_SHARE = 0.1
const FREE_BYTES = 2 * 2 ** 30

/** Looks every ten seconds at what operators want to be told of, and that says nothing by itself. */
export function watch({ alert, backends, upstreams, disk, log }: Watched) {
  const down = new Map<string, number>()
  const quarantined = new Set<string>()
  let isDiskFull = false
  let running: Promise<void> = Promise.resolve()

  async function look(): Promise<void> {
    lookAtBackends()
    lookAtUpstreams()
    try {
      lookAtDisk(await disk())
    } catch {
      // it is told by what cannot be written
    }
  }

  function lookAtBackends(): void {
    for (const { name, state, reason } of backends()) {
      const isBad = state === 'quarantined'
      if (isBad === quarantined.has(name)) continue
      if (isBad) quarantined.add(name)
      else quarantined.delete(name)
      const why = reason === undefined ? '' : `: ${reason}`
      const message = isBad ? `backend ${name} is in quarantine${why}` : `backend ${name} left quarantine`
      alert({ event: 'backend', subject: name, state: isBad ? 'on' : 'over', level: '', severity: 'critical', message })
    }
  }

  function lookAtUpstreams(): void {
    const all = upstreams()
    const names = new Set(all.map(({ name }) => name))
    for (const { name, state, last_error: error } of all) {
      if (state === 'down') {
        const looks = (down.get(name) ?? 0) + 1
        if (down.size < MOST_UPSTREAMS || down.has(name)) down.set(name, looks)
        if (looks === LOOKS_DOWN) tellUpstream(name, 'on', error === undefined ? '' : `: ${error}`)
      } else if (down.has(name)) cameBack(name)
    }
    for (const name of down.keys()) if (!names.has(name)) cameBack(name)
  }

  function cameBack(name: string): void {
    if ((down.get(name) ?? 0) >= LOOKS_DOWN) tellUpstream(name, 'over', '')
    down.delete(name)
  }

  function tellUpstream(name: string, state: 'on' | 'over', why: string): void {
    const message = state === 'on' ? `upstream ${name} does not answer${why}` : `upstream ${name} is no longer down`
    alert({ event: 'upstream', subject: name, state, level: '', severity: 'warning', message })
  }

  function lookAtDisk({ freeBytes, totalBytes }: { freeBytes: number; totalBytes: number }): void {
    const slack = isDiskFull ? 1.5 : 1
    const isFull = freeBytes < totalBytes * FREE_SHARE * slack && freeBytes < FREE_BYTES * slack
    if (isFull === isDiskFull) return
    isDiskFull = isFull
    const free = `${Math.floor(freeBytes / 2 ** 20)} MiB`
    const message = isFull
      ? `the disk of the state directory has ${free} left; requests are refused when it is full`
      : `the disk of the state directory has room again: ${free}`
    alert({ event: 'disk', subject: 'state', state: isFull ? 'on' : 'over', level: '', severity: 'critical', message })
  }

  const lookNow = guarded(log, 'it was not looked at what operators are told of', () => {
    running = look()
    return running
  })
  const timer = setInterval(lookNow, EVERY_MS).unref()
  return {
    look,
    async stop(): Promise<void> {
      clearInterval(timer)
      await running.catch(() => {}) // it is in the log
    },
  }
}
