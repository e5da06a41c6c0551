import { availableParallelism } from 'node:os'
import type { Config } from '../../schemas/config/config.ts'
import { TAILSCALE } from '../../schemas/words/certificate-sources.ts'
import { GateError } from '../../schemas/words/errors.ts'
import type { Log } from '../../schemas/words/log.ts'
import { askSocket } from '../../system/ask-socket.ts'
import { addressList } from '../admit/address.ts'
import type { Audit } from '../audit/entry.ts'
import type { Access } from '../auth/access.ts'
import { createPeople } from '../auth/ambient/people.ts'
import { createProxyIdentity } from '../auth/ambient/proxy-identity.ts'
import { createTailscaleIdentity } from '../auth/ambient/tailscale-identity.ts'
import type { Proofs } from '../auth/authenticate.ts'
import { type BreakGlass, createBreakGlass, type Guess } from '../auth/break-glass.ts'
import { isOwnHost } from '../auth/own-host.ts'
import { createHasher, usableHash } from '../auth/password/hasher.ts'
import { createPasswords } from '../auth/password/passwords.ts'
import { CONFIGURED_PERSON, EMERGENCY_SOURCE } from '../auth/users.ts'
import { ownNames } from '../gateway/settings.ts'

type ProofParts = {
  readonly access: Access
  readonly audit: Pick<Audit, 'record'>
  readonly env: Readonly<Record<string, string | undefined>>
  readonly log: Log
  /** Monotonic milliseconds. */
  readonly monotonic: () => number
}

export type PersonProofs = ReturnType<typeof createPersonProofs>

/** How people show who they are, besides keys and sessions: passwords, break-glass, a proxy, Tailscale. */
export function createPersonProofs(parts: ProofParts, initial: Config) {
  const { access, monotonic, log } = parts
  const hasher = createHasher(Math.ceil(availableParallelism() / 2))
  const people = createPeople(access)
  const breakGlass = openBreakGlass(parts, initial)
  let config = initial
  let ambient = ambientOf(initial)
  const passwords = createPasswords({ named: accountNamed, foreignCost }, hasher, monotonic)

  /** The user of the configuration comes before one of the same name. */
  function accountNamed(name: string) {
    const { username, password_hash: passwordHash } = config.auth
    if (passwordHash !== undefined && name.toLowerCase() === username.toLowerCase())
      return { passwordHash, userId: () => configuredUser(access, username) }
    const user = access.users.named(name)
    if (user === undefined || user.passwordHash === null || user.disabledAt !== null) return undefined
    return { passwordHash: user.passwordHash, userId: () => user.id }
  }

  function foreignCost() {
    const written = config.auth.password_hash
    return written === undefined ? undefined : usableHash(written)
  }

  function ambientOf({ auth, server }: Config) {
    const { tailnets } = auth.tailscale
    return {
      trusted: addressList(server.trusted_proxies),
      proxy: createProxyIdentity(auth.proxy, addressList, people),
      tailscale: createTailscaleIdentity({ tailnets, ask: whoisAt(parts.env), people }, monotonic, log),
    }
  }

  /** null: it was tried too often, which keeps nobody out who has a password of their own. */
  function emergencyGuess(username: string, password: string, address: string, isOrdinary: boolean): Guess | null {
    try {
      return breakGlass.guess(username, password, address)
    } catch (error) {
      if (!isOrdinary || !(error instanceof GateError)) throw error
      return null
    }
  }

  return {
    hashPassword: hasher.hash,
    isBreakGlassOn: breakGlass.isOn,
    proofs: {
      basic: breakGlass.basic,
      ambient(asked, peer) {
        const direct = peer === null ? null : peer.replace(/^::ffff:(?=\d+\.)/, '')
        const { proxy, tailscale, trusted } = ambient
        // the owner of a proxy's machine is not who comes through it
        const speaksForOthers = direct !== null && (trusted.has(direct) || proxy.isProxy(direct))
        const found = proxy.find(asked.headers, direct) ?? (speaksForOthers ? null : tailscale.find(direct))
        if (found !== null) requireOwnHost(asked.headers.host, config)
        return found
      },
    } satisfies Pick<Proofs, 'basic' | 'ambient'>,
    /** Whether passwords are accepted now. */
    takesPasswords: () => takesPasswords(config) || breakGlass.isOn,
    /**
     * Whose name and password these are; null: they are wrong. @param username absent: the one of the configuration
     * @throws GateError TOO_MANY_REQUESTS, or SIGN_IN_REFUSED where passwords are not accepted
     */
    async verifyPassword(username: string | undefined, password: string, address: string): Promise<string | null> {
      const isOrdinary = takesPasswords(config)
      if (!breakGlass.isOn && !isOrdinary)
        throw new GateError('SIGN_IN_REFUSED', 'passwords are not accepted here: "password" is not in auth.mode')
      const ordinary = () => passwords.verify(username ?? config.auth.username, password, address)
      const { user } = config.auth.bootstrap
      const isEmergency = breakGlass.isOn && (username === undefined || !isOrdinary || breakGlass.isName(username))
      if (!isEmergency) return ordinary()
      const guess = emergencyGuess(username ?? user, password, address, isOrdinary)
      if (guess?.isRight === true) return emergencyUser(access, user)
      const userId = isOrdinary ? await ordinary().catch(refusing(guess)) : null
      if (userId === null) guess?.refuse()
      else guess?.takeBack()
      return userId
    },
    apply(next: Config): void {
      config = next
      ambient = ambientOf(next)
    },
  }
}

const refusing =
  (guess: Guess | null) =>
  (error: unknown): never => {
    guess?.refuse()
    throw error
  }

const takesPasswords = ({ auth }: Config): boolean => [auth.mode].flat().includes('password')

/** Loud, since it is left on too easily: at the start, at each use, and in the audit. */
function openBreakGlass({ access, audit, log, monotonic }: ProofParts, { auth }: Config): BreakGlass {
  const { user, password } = auth.bootstrap
  const emergency = auth.break_glass && password !== undefined ? { user, password } : undefined
  if (emergency === undefined) {
    for (const { id, source } of access.users.list()) if (source === EMERGENCY_SOURCE) endEmergency(access, log, id)
  } else
    log('warn', 'break-glass is on: anyone with its password has every right; remove BREAK_GLASS and restart', {
      who: user,
    })
  return createBreakGlass(
    emergency,
    (outcome, name, address) => {
      log('warn', outcome === 'done' ? 'break-glass was used' : 'break-glass was refused', {
        who: name,
        client: address,
      })
      audit.record({
        who: { via: outcome === 'done' ? 'break-glass' : 'none', id: '', name },
        action: 'break-glass',
        object: '',
        from: { address, via: 'https' },
        outcome,
        ...(outcome === 'refused' && { reason: 'wrong name or password' }),
      })
    },
    monotonic,
  )
}

/** On a full disk it waits for the next start. */
function endEmergency({ users }: Access, log: Log, id: string): void {
  try {
    users.remove(id)
  } catch (error) {
    log('error', 'the user of break-glass could not be removed', { error: String(error) })
  }
}

function configuredUser({ users }: Access, name: string): string {
  return users.seen({ ...CONFIGURED_PERSON, name, role: 'admin' }).id
}

function emergencyUser({ users }: Access, name: string): string {
  return users.seen({ source: EMERGENCY_SOURCE, subject: EMERGENCY_SOURCE, name: `${name}-break-glass`, role: 'admin' })
    .id
}

function whoisAt(env: ProofParts['env']) {
  const socketPath = env['GATE_TAILSCALE_SOCKET'] || TAILSCALE.socket
  return async (address: string, signal: AbortSignal): Promise<unknown> => {
    const at = address.includes(':') ? `[${address}]` : address
    const path = `/localapi/v0/whois?addr=${encodeURIComponent(`${at}:1`)}`
    const { status, text } = await askSocket({ socketPath, host: TAILSCALE.host, path }, signal)
    if (status === 404) return undefined
    if (status !== 200) throw new Error(`Tailscale answered with status ${status}`)
    return JSON.parse(text)
  }
}

/** Who has no credential is known only under a name that is the gateway's own. @throws GateError MISDIRECTED */
function requireOwnHost(header: string | undefined, config: Config): void {
  if (isOwnHost(header, ownNames(config))) return
  const hint = 'set server.external_url or server.allowed_hosts'
  throw new GateError('MISDIRECTED', `under this host name no client is known without a credential; ${hint}`)
}
