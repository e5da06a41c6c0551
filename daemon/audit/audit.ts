import { addressBlock } from '../../schemas/words/address.ts'
import { GateError } from '../../schemas/words/errors.ts'
import { withoutKeys } from '../../schemas/words/gate-key.ts'
import type { Log } from '../../schemas/words/log.ts'
import type { TellAlert } from '../alerts/alert.ts'
import type { Audit, AuditEntry, AuditFacts } from './entry.ts'
import { fingerprintOf } from './fingerprint.ts'
import { createRefusals } from './refusals.ts'

/** An entry as it is kept: every text is bounded, and free of keys. */
export type AuditRecord = Required<Omit<AuditEntry, 'old' | 'new'>> & {
  /** Unix milliseconds. */
  readonly at: number
  /** JSON; null where there is none. */
  readonly old: string | null
  readonly new: string | null
}

/** What the audit needs from storage. */
export type AuditStore = {
  /** Appends; it is on the disk when it returns. @throws Error why it cannot be written; then nothing was */
  readonly append: (record: AuditRecord) => { readonly seq: number; readonly hash: string }
  /** Notes in another file what was appended last. @throws Error why it cannot */
  readonly anchor: () => void
}

type AuditParts = {
  readonly store: AuditStore
  readonly log: Log
  readonly alert: TellAlert
  /** Unix milliseconds. */
  readonly now: () => number
  /** Random, of this process: fingerprints are worthless without it. */
  readonly fingerprintKey: Buffer
}

const RETRY_MS = 1_000
/** Entries that wait for a store that fails, by what became of it; more are counted. Changes are refused meanwhile. */
const MOST_WAITING = { done: 4_000, refused: 1_000, failed: 1_000 } as const
const LONGEST_TEXT = 256
const LONGEST_FACTS = 16_384

/** Writes the audit. @see docs/audit.md */
export function createAudit({ store, log, alert, now, fingerprintKey }: AuditParts) {
  const fingerprint = (secret: string): string => fingerprintOf(fingerprintKey, secret)
  const refusals = createRefusals(now, (entry) => add(entry))
  const waiting: AuditRecord[] = []
  /** Entries for which there was no room. */
  let lost = 0
  let lastError: string | null = null
  let retry: NodeJS.Timeout | null = null

  function record(entry: AuditEntry): void {
    if (entry.outcome === 'done' || refusals.admits(entry)) add(entry)
    if (entry.action === 'break-glass') tellOfBreakGlass(entry)
  }

  /** Once for each client, and again when it comes in after it was refused. */
  function tellOfBreakGlass({ outcome, from }: AuditEntry): void {
    const place = from.address ?? from.via
    const how = outcome === 'done' ? 'was used' : 'was tried in vain'
    const message = `the emergency account ${how} from ${place}`
    alert({
      event: 'break-glass',
      subject: addressBlock(place),
      state: 'on',
      level: outcome,
      severity: 'critical',
      message,
    })
  }

  function add(entry: AuditEntry): void {
    if (waiting.length >= MOST_WAITING[entry.outcome]) lost += 1
    else waiting.push(recordOf(entry, now(), fingerprint))
    if (lastError === null) write()
  }

  function write(): void {
    retry = null
    try {
      for (let next = waiting[0]; next !== undefined; next = waiting[0]) {
        const { seq, hash } = store.append(next)
        waiting.shift()
        note(next, seq, hash)
        if (lost > 0 && waiting.length === 0) {
          waiting.push(recordOf(lostEntry(lost), now(), fingerprint))
          lost = 0
        }
      }
      store.anchor()
      if (lastError !== null) told('over', 'the audit is being written again')
      lastError = null
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      if (lastError === null) {
        log('error', 'cannot write the audit; changes are refused until it can be written', { error: reason })
        told('on', `the audit cannot be written, and changes are refused: ${reason}`)
      }
      lastError = reason
      retry = setTimeout(write, RETRY_MS).unref()
    }
  }

  const told = (state: 'on' | 'over', message: string): void =>
    alert({ event: 'audit', subject: 'audit', state, level: '', severity: 'critical', message })

  /** The log is another place, which who changes the database may be unable to change. */
  function note({ action, object, who, from, outcome, reason }: AuditRecord, seq: number, hash: string): void {
    log('info', 'audit', {
      action,
      object,
      who: who.id === '' ? who.name : who.id,
      client: from.address ?? from.via,
      state: outcome,
      reason,
      count: seq,
      hash,
    })
  }

  return {
    record,
    fingerprint,
    require() {
      if (lastError === null) return
      const message = `the audit cannot be written, so nothing may be changed: ${lastError}; free space on the disk of Gate`
      throw new GateError('STORE_UNAVAILABLE', message)
    },
    /** Why entries cannot be written; null while they can. */
    lastError: () => lastError,
    /** Writes what is left. @returns how many could not be written */
    close(): number {
      refusals.flush()
      if (retry !== null) clearTimeout(retry)
      if (waiting.length > 0 || lastError !== null) write()
      if (retry !== null) clearTimeout(retry)
      return waiting.length + lost
    },
  } satisfies Audit & Record<string, unknown>
}

const lostEntry = (count: number): AuditEntry => ({
  who: { via: 'system', id: '', name: 'gate-daemon' },
  action: 'audit.lost',
  object: '',
  from: { address: null, via: 'daemon' },
  outcome: 'failed',
  reason: 'too many waited while the audit could not be written',
  new: { count },
})

function recordOf(entry: AuditEntry, at: number, fingerprint: (secret: string) => string): AuditRecord {
  const { who, action, object, from, outcome, reason = '' } = entry
  // what was typed as a name at a failed login may be a password
  const isTyped = who.via === 'none' && who.id === '' && who.name !== ''
  return {
    at,
    who: { via: who.via, id: cut(who.id), name: isTyped ? fingerprint(who.name) : cut(who.name) },
    action: cut(action),
    object: cut(object),
    from: { address: from.address === null ? null : cut(from.address), via: from.via },
    outcome,
    reason: cut(reason),
    old: factsText(entry.old),
    new: factsText(entry.new),
  }
}

const cut = (text: string): string => withoutKeys(text).slice(0, LONGEST_TEXT).toWellFormed()

function factsText(facts: AuditFacts | undefined): string | null {
  if (facts === undefined) return null
  const text = withoutKeys(JSON.stringify(facts))
  return text.length <= LONGEST_FACTS ? text : JSON.stringify({ too_long_characters: text.length })
}
