import { holdingAfter } from './holdings.ts'
import { inviteUse } from './invites.ts'
import { readName } from './names.ts'
import type { Change, Condition, RecordStore } from './record-store.ts'
import type { Claim, ClaimOutcome, NameRecord, ReleaseOutcome } from './registry.ts'
import { keyOf, QUARANTINE_MS, readStoredName, type StoredName } from './stored.ts'

export type ClaimRules = {
  /** Of the relays, lower case. */
  readonly domain: string
  /** Names that one node may own; those that it has released count until they are free. */
  readonly namesPerNode: number
  /** Whether a name is given for an invite only. */
  readonly wantsInvite: boolean
}

export type ClaimParts = {
  readonly store: RecordStore
  readonly rules: ClaimRules
  readonly lookUpTxt: (host: string, signal: AbortSignal) => Promise<readonly string[]>
  /** The node that visitors of a host are led to, whatever is stored; null: none. */
  readonly ownerOf: (host: string) => string | null
  /** Until when a host rests for all nodes but one, whatever is stored. */
  readonly restOf: (host: string) => { readonly nodeId: string; readonly untilMs: number } | undefined
  /** Unix milliseconds of this host, which decide what is over: no time that is stored can end a rest or an invite. */
  readonly clock: () => number
  /** Before this time of `clock` no rest is over. */
  readonly restsFromMs: number
  /** Unix milliseconds to write down: after all that are stored. */
  readonly now: () => number
}

const ATTEMPTS = 8
const LOOKUP_DEADLINE_MS = 10_000

/** The TXT record that proves a host outside of the domain. */
export const proofRecord = (host: string): string => `_gate-relay.${host}`

/**
 * Gives a name to a node, if it is free: of several claims at once, at whichever relays, one is given it. A node that
 * owns the name already is told so, and uses up no invite.
 */
export async function claimName(parts: ClaimParts, claim: Claim): Promise<ClaimOutcome> {
  const read = readName(claim.name, parts.rules.domain)
  if (read.kind === 'invalid' || read.kind === 'reserved') return read
  const { host } = read
  const proven = read.kind === 'domain' ? await provenNodes(parts, host) : undefined
  if (proven !== undefined && !proven.includes(claim.nodeId)) {
    return { kind: 'no-proof', record: proofRecord(host), value: claim.nodeId }
  }
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const step = claimStep(parts, claim, host, proven)
    if (step.kind !== 'commit') return step
    const commit = await parts.store.commit(step.conditions, step.changes)
    if (commit.kind === 'done') return { kind: 'claimed' }
    if (commit.kind === 'lost') return { kind: 'unavailable' }
  }
  return { kind: 'unavailable' }
}

/** The nodes that the DNS of a host names as its own. */
async function provenNodes({ lookUpTxt }: ClaimParts, host: string): Promise<readonly string[]> {
  return await lookUpTxt(proofRecord(host), AbortSignal.timeout(LOOKUP_DEADLINE_MS)).catch(() => [])
}

type Step =
  | { readonly kind: 'commit'; readonly conditions: readonly Condition[]; readonly changes: readonly Change[] }
  | ClaimOutcome

/** What to write for a claim by what is known now, or why it is refused. @param proven by the host's DNS; absent: a label */
function claimStep(
  { store, rules, ownerOf, restOf, clock, restsFromMs, now }: ClaimParts,
  claim: Claim,
  host: string,
  proven: readonly string[] | undefined,
): Step {
  const { nodeId, key, signature, exporter, previous, isByOperator = false } = claim
  const stored = store.get(keyOf.name(host))
  const held = readStoredName(stored?.value)
  const isMine = held?.nodeId === nodeId
  if (isMine && held.releasedAtMs === undefined && ownerOf(host) === nodeId) return { kind: 'claimed' }
  const isMoved = held !== undefined && held.nodeId === previous?.nodeId && held.releasedAtMs === undefined
  const isGivenUp = held !== undefined && proven !== undefined && !proven.includes(held.nodeId)
  // what is stored was not believed, and is written as it was
  const isKept = held !== undefined && !isMine && ownerOf(host) === nodeId
  const isFree = held === undefined || isMine || isMoved || isGivenUp || isKept
  const blocked = isFree ? undefined : whyNot(held, clock(), restsFromMs)
  if (blocked !== undefined) return blocked
  const rest = restOf(host)
  if (rest !== undefined && rest.nodeId !== nodeId && !isMoved) return { kind: 'quarantined', untilMs: rest.untilMs }

  const left = holdingAfter(store, nodeId, host, 'given', clock())
  if (left.count > rules.namesPerNode && !isByOperator) return { kind: 'too-many', most: rules.namesPerNode }
  const conditions = [{ key: keyOf.name(host), revision: stored?.revision ?? 0 }, left.condition]
  const named: StoredName = { nodeId, claimedAtMs: now(), name: claim.name, key, signature, exporter }
  if (isByOperator) named.isByOperator = true
  if (isMoved && previous !== undefined) named.previous = { key: previous.key, signature: previous.signature }
  const changes: Change[] = [{ key: keyOf.name(host), value: JSON.stringify(named) }, left.change]
  if (held !== undefined && !isMine) {
    const before = holdingAfter(store, held.nodeId, host, 'gone', clock())
    conditions.push(before.condition)
    changes.push(before.change)
  }
  if (rules.wantsInvite && !isMoved && !isMine && !isKept && !isByOperator) {
    if (claim.invite === undefined) return { kind: 'invite-needed' }
    const use = inviteUse(store, claim.invite, clock())
    if (use === undefined) return { kind: 'invite-refused' }
    conditions.push(use.condition)
    changes.push(use.change)
  }
  return { kind: 'commit', conditions, changes }
}

function whyNot({ releasedAtMs }: StoredName, nowMs: number, restsFromMs: number): Step | undefined {
  if (releasedAtMs === undefined) return { kind: 'taken' }
  const untilMs = Math.max(releasedAtMs + QUARANTINE_MS, restsFromMs)
  return untilMs > nowMs ? { kind: 'quarantined', untilMs } : undefined
}

/** @param nodeId whose name it must be; absent: anyone's */
export async function releaseName(
  store: RecordStore,
  { domain }: ClaimRules,
  name: string,
  nodeId: string | undefined,
  nowMs: number,
): Promise<ReleaseOutcome> {
  const read = readName(name, domain)
  if (read.kind === 'invalid' || read.kind === 'reserved') return 'not-owner'
  const { host } = read
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const stored = store.get(keyOf.name(host))
    const held = readStoredName(stored?.value)
    if (stored === undefined || held === undefined || held.releasedAtMs !== undefined) return 'not-owner'
    if (nodeId !== undefined && held.nodeId !== nodeId) return 'not-owner'
    const left = holdingAfter(store, held.nodeId, host, read.kind === 'domain' ? 'gone' : 'resting', nowMs)
    const conditions = [{ key: keyOf.name(host), revision: stored.revision }, left.condition]
    // who owns a domain elsewhere is decided by its DNS, so that there is nothing to protect
    const value = read.kind === 'domain' ? null : JSON.stringify({ ...held, releasedAtMs: nowMs })
    const { kind } = await store.commit(conditions, [{ key: keyOf.name(host), value }, left.change])
    if (kind === 'done') return 'released'
    if (kind === 'lost') return 'unavailable'
  }
  return 'unavailable'
}

/** Of one sweep; the rest comes with the next. */
const MOST_SWEPT = 500

/** Removes names whose rest is over, and what their nodes were counted for. Never rejects. */
export async function sweepNames(store: RecordStore, names: readonly NameRecord[], nowMs: number): Promise<void> {
  const isOver = ({ releasedAtMs }: { readonly releasedAtMs?: number | undefined }) =>
    releasedAtMs !== undefined && releasedAtMs + QUARANTINE_MS <= nowMs
  for (const { host } of names.filter(isOver).slice(0, MOST_SWEPT)) {
    const key = keyOf.name(host)
    const stored = store.get(key)
    const held = readStoredName(stored?.value)
    if (stored === undefined || held === undefined || !isOver(held)) continue
    const rest = holdingAfter(store, held.nodeId, host, 'gone', nowMs)
    const conditions = [{ key, revision: stored.revision }, rest.condition]
    const { kind } = await store.commit(conditions, [{ key, value: null }, rest.change])
    if (kind === 'lost') return
  }
}
