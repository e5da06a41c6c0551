import type { Log } from '../../../schemas/words/log.ts'
import { isNodeId } from '../protocol.ts'
import { type ClaimRules, claimName, releaseName, sweepNames } from './claims.ts'
import { makeInvite, openInvites } from './invites.ts'
import { followStore } from './known.ts'
import { recordLedger } from './record-ledger.ts'
import type { RecordStore } from './record-store.ts'
import type { Registry } from './registry.ts'
import { isInTime } from './routes.ts'
import { keyOf, readStoredNode } from './stored.ts'

export type RegistryParts = {
  readonly store: RecordStore
  readonly rules: () => ClaimRules
  /** TXT records of a host; empty where there is none. @throws Error when the DNS does not answer */
  readonly lookUpTxt: (host: string, signal: AbortSignal) => Promise<readonly string[]>
  /** Unix milliseconds, not led astray by a clock that is set: see steady-clock.ts. */
  readonly now: () => number
  readonly random: (bytes: number) => Buffer
  readonly log: Log
}

/** For so long after its start a relay ends no rest: a clock that is wrong at the start is set right within it. */
const DAY_MS = 24 * 3_600_000

/** The registry of one domain over a store. */
export function openRegistry({ store: given, rules, lookUpTxt, now: clock, random, log }: RegistryParts): Registry {
  const store = tellingStore(given, log)
  const listeners = new Set<(nodeId: string) => void>()
  const { domain } = rules()
  const known = followStore(store, {
    domain,
    clock,
    named(nodeId) {
      for (const listener of listeners) listener(nodeId)
    },
    forged: (relay, subject) =>
      log('error', 'a relay announces tunnels of nodes that never vouched for it: it gets no visitors of theirs', {
        relay,
        subject,
      }),
    refused: (host, subject) =>
      log('error', 'a name was given to another node without the signature of its own: it stays where it was', {
        domain: host,
        subject,
      }),
  })
  // what is written down on a host that starts with a clock of 1970 is still later than what was written before
  const now = () => Math.max(clock(), known.newestMs())
  const startedMs = clock()
  const restsFromMs = startedMs + DAY_MS
  const noteAhead = () => {
    const newestMs = known.newestMs()
    if (newestMs > startedMs + DAY_MS)
      log('warn', 'the registry has times that are ahead of the clock of this host: one of the two is wrong', {
        until: new Date(newestMs).toISOString(),
      })
  }
  let relayId = 'this'

  return {
    ready: store.ready.then(noteAhead),
    state: store.state,
    claim: (claim) =>
      claimName(
        {
          store,
          rules: rules(),
          lookUpTxt,
          ownerOf: known.ownerOf,
          restOf: known.restOf,
          clock,
          restsFromMs,
          now,
        },
        claim,
      ),
    release: (name, nodeId) => releaseName(store, rules(), name, nodeId, now()),
    async sweep() {
      if (clock() >= restsFromMs) await sweepNames(store, known.names(), clock())
      known.age()
    },
    ownerOf(host) {
      const label = host.endsWith(`.${domain}`) ? host.slice(0, -domain.length - 1) : ''
      return isNodeId(label) ? label : known.ownerOf(host)
    },
    namesOf: (nodeId) => readStoredNode(store.get(keyOf.node(nodeId))?.value)?.hosts ?? [],
    names: known.names,
    async announce(nodeId, tunnel, proof) {
      const { key, expiresAtMs, signature } = proof
      if (!isInTime(proof, clock()))
        log('warn', 'the clock of a node is wrong by more than half a day: other relays pass no visitors on to it', {
          subject: nodeId,
        })
      const value = JSON.stringify({ key, expiresAtMs, signature })
      const change = { key: keyOf.route(nodeId, relayId, tunnel), value, isLeased: true }
      const commit = await store.commit([], [change])
      return commit.kind === 'done' ? commit.revision : undefined
    },
    async withdraw(nodeId, tunnel) {
      await store.commit([], [{ key: keyOf.route(nodeId, relayId, tunnel), value: null, isLeased: true }])
    },
    routesOf: (nodeId) => known.routesOf(nodeId, clock()), // a name with a time that is ahead ends none
    async join({ id, address }) {
      relayId = id
      await store.commit([], [{ key: keyOf.relay(id), value: JSON.stringify({ address }), isLeased: true }])
    },
    async leave() {
      await store.commit([], [{ key: keyOf.relay(relayId), value: null, isLeased: true }])
    },
    relays: known.relays,
    records: recordLedger(store),
    makeInvite: (uses, expiresAtMs, note) => makeInvite(store, { uses, expiresAtMs, note }, clock, random),
    invites: () => openInvites(store, clock()),
    onNames(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    close: store.close,
  }
}

/** Says once that what is to be kept cannot be written, and again after it could. */
function tellingStore(store: RecordStore, log: Log): RecordStore {
  let isLost = false
  return {
    ...store,
    async commit(conditions, changes) {
      const commit = await store.commit(conditions, changes)
      if (changes.every(({ isLeased }) => isLeased === true)) return commit
      if (commit.kind === 'lost' && !isLost)
        log('error', 'the registry cannot be written: no name and no invite is given or taken', {
          error: commit.reason,
        })
      if (commit.kind !== 'conflict') isLost = commit.kind === 'lost'
      return commit
    },
  }
}
