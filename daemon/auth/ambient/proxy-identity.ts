import type { IncomingHttpHeaders } from 'node:http'
import { isIPv4 } from 'node:net'
import { GateError } from '../../../schemas/words/errors.ts'
import type { Role } from '../../../schemas/words/roles.ts'
import type { AddressRanges, Principal } from '../principal.ts'
import type { People } from './people.ts'

/** `auth.proxy` of the configuration. */
export type ProxySettings = {
  readonly from: readonly string[]
  readonly user_header: string
  readonly email_header: string
  readonly groups_header: string
  readonly roles: readonly { readonly group: string; readonly role: Role }[]
}

const LONGEST_NAME = 200
const MOST_GROUPS = 1_000

/**
 * People whom a reverse proxy has signed in. Its headers count from the peers that are listed, and from no other; those
 * of this host only where an address of loopback itself is listed, since every program of the host connects from there.
 */
export function createProxyIdentity(
  settings: ProxySettings,
  rangesOf: (entries: readonly string[]) => AddressRanges,
  people: People,
) {
  const { user_header: userHeader, email_header: emailHeader, groups_header: groupsHeader, roles } = settings
  const elsewhere = rangesOf(settings.from)
  const here = rangesOf(settings.from.filter(isOfLoopback))

  function isProxy(peer: string | null): boolean {
    if (settings.from.length === 0 || peer === null) return false
    return isOfLoopback(peer) ? here.has(peer) : elsewhere.has(peer)
  }

  function roleOf(groups: string | undefined): Role {
    const own = new Set((groups ?? '').split(',', MOST_GROUPS).map((group) => group.trim()))
    return roles.find(({ group }) => own.has(group))?.role ?? 'member'
  }

  return {
    /** Whether a peer speaks for others: it is no user itself. */
    isProxy,
    /**
     * Whom the proxy names; null where the peer is no such proxy, or names no user.
     * @param peer of the connection; null: it came over a socket file
     * @throws GateError INVALID_KEY for a name that is none
     */
    find(headers: IncomingHttpHeaders, peer: string | null): Principal | null {
      if (!isProxy(peer)) return null
      const user = textIn(headers[userHeader])
      if (user === undefined || user === '') return null
      if (user.length > LONGEST_NAME || /[\p{Cc},]/u.test(user))
        throw new GateError('INVALID_KEY', `the header ${userHeader} does not name one user`)
      const email = textIn(headers[emailHeader])
      const role = roleOf(textIn(headers[groupsHeader]))
      return people.seen({
        via: 'proxy',
        subject: user,
        name: user,
        email: email === undefined || email === '' ? null : email.slice(0, LONGEST_NAME),
        role,
        // without a mapping, an operator says who is what
        isRoleKept: roles.length === 0,
      })
    },
  }
}

/** Node takes headers for Latin-1; proxies send UTF-8. */
function textIn(value: string | readonly string[] | undefined): string | undefined {
  return value === undefined ? undefined : Buffer.from(String(value), 'latin1').toString('utf8').trim()
}

function isOfLoopback(address: string): boolean {
  const plain = address.startsWith('::ffff:') ? address.slice(7) : address
  const [first = ''] = plain.split('/')
  return first === '::1' || (isIPv4(first) && first.startsWith('127.'))
}
