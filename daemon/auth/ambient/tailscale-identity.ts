import { isIPv4, isIPv6 } from 'node:net'
import { z } from 'zod'
import { GateError } from '../../../schemas/words/errors.ts'
import type { Log } from '../../../schemas/words/log.ts'
import type { Principal } from '../principal.ts'
import type { People } from './people.ts'

/** Asks the Tailscale of this host who has an address. @returns undefined: no machine @throws Error when it cannot be asked */
export type AskWhois = (address: string, signal: AbortSignal) => Promise<unknown>

/** The part of an answer that is read. @see https://pkg.go.dev/tailscale.com/client/tailscale/apitype#WhoIsResponse */
const whois = z.object({
  Node: z.object({ Name: z.string().max(300), Tags: z.array(z.string()).nullish() }),
  UserProfile: z.object({ ID: z.int(), LoginName: z.string().min(1).max(200) }),
})

type Found = { readonly tailnet: string; readonly id: string; readonly login: string }
type Entry = { readonly found: Found | null; readonly until: number }

const KEPT_MS = 60_000
/** A machine that is added to the tailnet is known soon after. */
const UNKNOWN_KEPT_MS = 10_000
const MOST_KEPT = 1_000
const MOST_ASKED = 16
const DEADLINE_MS = 2_000

/**
 * People of the tailnets that are listed, by the address that their machine has there. Machines with tags belong to no user.
 * @param now monotonic milliseconds
 */
export function createTailscaleIdentity(
  { tailnets, ask, people }: { readonly tailnets: readonly string[]; readonly ask: AskWhois; readonly people: People },
  now: () => number,
  log: Log,
) {
  const listed = new Set(tailnets)
  const kept = new Map<string, Entry>()
  const asked = new Map<string, Promise<Found | null>>()
  let hasFailed = false

  async function lookUp(address: string): Promise<Found | null> {
    const answer = await ask(address, AbortSignal.timeout(DEADLINE_MS)).catch((error: unknown) => {
      if (!hasFailed) log('warn', 'Tailscale could not be asked who a client is', { error: String(error) })
      hasFailed = true
      throw new GateError('NOT_READY', 'Tailscale cannot be asked who you are; send a key', { cause: error })
    })
    hasFailed = false
    const found = personIn(answer)
    const [oldest] = kept.keys()
    if (kept.size >= MOST_KEPT && oldest !== undefined) kept.delete(oldest)
    kept.set(address, { found, until: now() + (found === null ? UNKNOWN_KEPT_MS : KEPT_MS) })
    return found
  }

  function askOnce(address: string): Promise<Found | null> {
    const running = asked.get(address)
    if (running !== undefined) return running
    if (asked.size >= MOST_ASKED)
      throw new GateError('TOO_MANY_REQUESTS', 'too many clients are looked up; try again in a moment', {
        retryAfterS: 1,
      })
    const one = lookUp(address).finally(() => asked.delete(address))
    asked.set(address, one)
    return one
  }

  /** @param found null, or one of a tailnet that is not listed: no user */
  function principalOf(found: Found | null): Principal | null {
    if (found === null || !listed.has(found.tailnet)) return null
    const { tailnet, id, login } = found
    const email = login.includes('@') ? login : null
    return people.seen({
      via: 'tailscale',
      subject: `${tailnet}/${id}`,
      name: login,
      email,
      role: 'member',
      isRoleKept: true,
    })
  }

  return {
    isOn: listed.size > 0,
    /**
     * Who has the address; at once where that was asked within a minute.
     * @param peer of the connection, as no header says it
     */
    find(peer: string | null): Principal | Promise<Principal | null> | null {
      if (listed.size === 0 || peer === null || !isOfTailscale(peer)) return null
      const known = kept.get(peer)
      if (known !== undefined && known.until > now()) return principalOf(known.found)
      kept.delete(peer)
      return askOnce(peer).then(principalOf)
    },
  }
}

function personIn(answer: unknown): Found | null {
  const { data } = whois.safeParse(answer)
  if (data === undefined || (data.Node.Tags ?? []).length > 0) return null
  const name = data.Node.Name.replace(/\.$/, '')
  const dot = name.indexOf('.')
  if (dot === -1) return null
  const { ID, LoginName } = data.UserProfile
  return { tailnet: name.slice(dot + 1).toLowerCase(), id: String(ID), login: LoginName }
}

/** @see https://tailscale.com/kb/1015/100.x-addresses */
function isOfTailscale(address: string): boolean {
  if (isIPv6(address)) return address.toLowerCase().startsWith('fd7a:115c:a1e0:')
  if (!isIPv4(address)) return false
  const [first, second = 0] = address.split('.').map(Number)
  return first === 100 && second >= 64 && second < 128
}
