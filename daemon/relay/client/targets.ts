import { isIP } from 'node:net'
import { hostPort, parseHostPort } from '../../../schemas/words/address.ts'
import { reconnectAfterMs } from './backoff.ts'
import { isPrivate, type RelayAddress } from './trust.ts'

/** A relay that can be dialled. */
export type Target = {
  readonly address: RelayAddress
  /** undefined: it is not known which relay is there. */
  relayId: string | undefined
  /** Attempts that failed, in a row. */
  failures: number
  /** Not to be dialled before, monotonic milliseconds. */
  notBeforeMs: number
  /** Why the last attempt failed. */
  error: string | undefined
}

/** What a tunnel of now says of its target. */
export type Held = { readonly target: Target; readonly relayId: string | undefined }

/** A relay that names others. */
type Teller = {
  readonly servername: string
  /** Whether it was reached at an address of a private network or of this host. */
  readonly isInPrivate: boolean
}

/** A tunnel that lived as long was no failure. */
const STABLE_MS = 60_000
/** Who has another tunnel need not hurry: a relay that starts again meets its nodes one after the other. */
const UNHURRIED_FAILURES = 4
/** Of what is a relay that has a tunnel, under another address. */
const DOUBLE_REST_MS = 60_000
/** Relays that another names. */
const MOST_TOLD = 8
const DEFAULT_PORT = 443

/** Which relays there are, and when each may be dialled. @param now monotonic milliseconds @param random 0 to 1 */
export function createTargets(now: () => number, random: () => number) {
  let targets: readonly Target[] = []

  const named = (address: RelayAddress): string => hostPort(address.host, address.port)
  const known = (address: RelayAddress): Target =>
    targets.find((target) => named(target.address) === named(address)) ?? {
      address,
      relayId: undefined,
      failures: 0,
      notBeforeMs: 0,
      error: undefined,
    }
  let own: readonly RelayAddress[] = []
  let told: readonly { readonly address: RelayAddress; readonly relayId: string }[] = []

  function gather(): void {
    const next = new Map(own.map((address) => [named(address), known(address)]))
    for (const { address, relayId } of told) {
      if (next.has(named(address))) continue // which relay is there, it says itself
      const target = known(address)
      target.relayId ??= relayId
      next.set(named(address), target)
    }
    targets = [...next.values()]
  }

  return {
    /** @param addresses as they are configured, `host:port` */
    setOwn(addresses: readonly string[]): void {
      own = addresses.map(addressOf)
      told = []
      gather()
    },
    /**
     * Relays beside the configured ones: no more than a few, and none in networks that the one which names them is not in.
     * @param peers as a relay names them; all answer by the name of that relay
     * @param by which names them
     */
    setTold(peers: readonly { readonly id: string; readonly address: string }[], by: Teller): void {
      const { servername, isInPrivate: mayBePrivate } = by
      told = peers
        .map(({ id, address }) => ({ relayId: id, address: { ...addressOf(address), servername, mayBePrivate } }))
        .filter(({ address: { host } }) => mayBePrivate || isIP(host) === 0 || !isPrivate(host))
        .slice(0, MOST_TOLD)
      gather()
    },
    /**
     * The one to dial next: another relay than those that have a tunnel, then one that may be dialled soonest.
     * @returns undefined: there is none
     */
    next(held: readonly Held[]): Target | undefined {
      const used = (target: Target) =>
        held.some((one) => one.target === target || (one.relayId !== undefined && one.relayId === target.relayId))
      const rank = (target: Target) => (used(target) ? 1 : 0)
      const at = now()
      const wait = ({ notBeforeMs }: Target) => Math.max(0, notBeforeMs - at)
      return targets.toSorted((a, b) => wait(a) - wait(b) || 0).toSorted((a, b) => rank(a) - rank(b))[0]
    },
    /** Whether there is a relay without a tunnel that may be dialled now. */
    hasOther: (held: readonly Held[]): boolean =>
      targets.some(
        (target) =>
          target.notBeforeMs <= now() &&
          !held.some((one) => one.target === target || (one.relayId !== undefined && one.relayId === target.relayId)),
      ),
    failed(target: Target, error: string, hasTunnel: boolean): void {
      target.failures += 1
      target.error = error
      const counted = hasTunnel ? Math.max(UNHURRIED_FAILURES, target.failures) : target.failures
      target.notBeforeMs = now() + reconnectAfterMs(counted, random())
    },
    /** @param livedMs how long its tunnel was there @param drainsAfterMs when the relay would like it back; null: it did not say */
    ended(target: Target, error: string, livedMs: number, drainsAfterMs: number | null, hasTunnel: boolean): void {
      if (livedMs >= STABLE_MS) target.failures = 0
      this.failed(target, error, hasTunnel)
      target.notBeforeMs = Math.max(target.notBeforeMs, now() + (drainsAfterMs ?? 0))
    },
    /** Leaves alone for a while what has turned out to be a relay that has a tunnel already. */
    wasDouble(target: Target): void {
      target.notBeforeMs = now() + DOUBLE_REST_MS
    },
    list: (): readonly Target[] => targets,
  }
}

/** @param text `host:port` */
function addressOf(text: string): RelayAddress {
  const { host, port = DEFAULT_PORT } = parseHostPort(text)
  return { host, port, servername: host, mayBePrivate: true }
}
