import { createHash } from 'node:crypto'
import type { RecordStore } from './record-store.ts'
import type { InviteRecord } from './registry.ts'
import { keyOf, readStoredInvite } from './stored.ts'

const SECRET_BYTES = 20
/** Invites that are kept; more than anyone has open. */
const MAX_INVITES = 10_000
const MAX_USES = 10_000

const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex')
const idOf = (key: string): string => key.slice('invite/'.length, 'invite/'.length + 8)

/** Makes an invite, of which only a hash is stored. Those that are over are removed on the way. */
export async function makeInvite(
  store: RecordStore,
  { uses, expiresAtMs, note }: { readonly uses: number; readonly expiresAtMs: number; readonly note: string },
  now: () => number,
  random: (bytes: number) => Buffer,
): Promise<string | undefined> {
  const open = store.list('invite/')
  const over = open.filter(({ value }) => (readStoredInvite(value)?.expiresAtMs ?? 0) <= now())
  if (open.length - over.length >= MAX_INVITES) throw new RangeError(`there are ${MAX_INVITES} invites already`)
  const text = `gri_${random(SECRET_BYTES).toString('base64url')}`
  const value = JSON.stringify({ left: Math.min(uses, MAX_USES), expiresAtMs, note })
  const removed = over.slice(0, 50).map(({ key }) => ({ key, value: null }))
  const key = keyOf.invite(hashOf(text))
  const { kind } = await store.commit([{ key, revision: 0 }], [{ key, value }, ...removed])
  return kind === 'done' ? text : undefined
}

/** What a claim adds to its commit so that its invite counts once less; undefined for one that is not good. */
export function inviteUse(store: RecordStore, text: string, nowMs: number) {
  const key = keyOf.invite(hashOf(text))
  const stored = store.get(key)
  const found = readStoredInvite(stored?.value)
  if (stored === undefined || found === undefined || found.left < 1 || found.expiresAtMs <= nowMs) return undefined
  const left = found.left - 1
  return {
    condition: { key, revision: stored.revision },
    change: { key, value: left === 0 ? null : JSON.stringify({ ...found, left }) },
  }
}

/** Invites that can still be used. */
export function openInvites(store: RecordStore, nowMs: number): readonly InviteRecord[] {
  return store.list('invite/').flatMap(({ key, value }) => {
    const found = readStoredInvite(value)
    return found === undefined || found.expiresAtMs <= nowMs ? [] : [{ id: idOf(key), ...found }]
  })
}
