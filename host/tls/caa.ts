import { Resolver } from 'node:dns/promises'

/** One record: `0 issue "letsencrypt.org; accounturi=https://…"`. */
export type CaaRecord = { readonly isCritical: boolean; readonly tag: string; readonly value: string }

/** @param domain without a final dot @returns its own records, not those of its parents @throws Error of the resolver */
export type AskCaa = (domain: string) => Promise<readonly CaaRecord[]>

/** The records that count for a name, and whose they are; undefined: there are none, so any CA may issue. */
export type RelevantCaa = { readonly domain: string; readonly records: readonly CaaRecord[] } | undefined

/** Climbs from a name to its top-level domain until there are records. @see RFC 8659 section 3 @throws Error */
export async function relevantCaa(name: string, ask: AskCaa): Promise<RelevantCaa> {
  const labels = name.replace(/^\*\./, '').split('.')
  for (let i = 0; i < labels.length; i++) {
    const domain = labels.slice(i).join('.')
    const records = await ask(domain)
    if (records.length > 0) return { domain, records }
  }
  return undefined
}

/** Who would like to issue. */
export type Issuer = {
  /** Names by which the CA is allowed in records, such as `letsencrypt.org`. */
  readonly identities: readonly string[]
  /** URL of the account at it; undefined: not known. */
  readonly account: string | undefined
  /** How control of the name is proven, such as `dns-01`; undefined: not known. */
  readonly challenge: string | undefined
}

export type CaaVerdict = { readonly kind: 'allowed' } | { readonly kind: 'refused'; readonly why: string }

/** Whether the records allow a CA to issue. @see RFC 8659 section 4, RFC 8657 */
export function judgeCaa(records: readonly CaaRecord[], name: string, issuer: Issuer): CaaVerdict {
  const unknown = records.find(({ isCritical, tag }) => isCritical && !KNOWN_TAGS.has(tag))
  if (unknown !== undefined) return refused(`the critical property "${unknown.tag}" is known to no CA`)
  const wild = name.startsWith('*.') ? records.filter(({ tag }) => tag === 'issuewild') : []
  const deciding = wild.length > 0 ? wild : records.filter(({ tag }) => tag === 'issue')
  if (deciding.length === 0) return { kind: 'allowed' }
  const verdicts = deciding.map(({ value }) => judgeIssue(value, issuer))
  const allowed = verdicts.find(({ kind }) => kind === 'allowed')
  if (allowed !== undefined) return allowed
  const named = deciding.map(({ tag, value }) => `${tag} "${value}"`).join(', ')
  const nearest = verdicts.find((verdict) => verdict.kind === 'refused' && verdict.why !== OTHER_CA)
  return nearest ?? refused(`it allows ${named} alone`)
}

const KNOWN_TAGS = new Set(['issue', 'issuewild', 'issuemail', 'issuevmc', 'iodef', 'contactemail', 'contactphone'])
const OTHER_CA = 'another CA'

function refused(why: string): CaaVerdict {
  return { kind: 'refused', why }
}

function judgeIssue(value: string, { identities, account, challenge }: Issuer): CaaVerdict {
  const [domain = '', ...rest] = value.split(';').map((part) => part.trim())
  if (!identities.some((identity) => identity.toLowerCase() === domain.toLowerCase())) return refused(OTHER_CA)
  const parameters = new Map(
    rest.filter(Boolean).map((part) => {
      const equals = part.indexOf('=')
      return [part.slice(0, Math.max(equals, 0)).trim().toLowerCase(), part.slice(equals + 1).trim()]
    }),
  )
  const wanted = parameters.get('accounturi')
  if (wanted !== undefined && account !== undefined && wanted !== account)
    return refused(`it allows the account ${wanted} alone, and ours is ${account}`)
  const methods = parameters
    .get('validationmethods')
    ?.split(',')
    .map((method) => method.trim())
  if (methods !== undefined && challenge !== undefined && !methods.includes(challenge))
    return refused(`it allows ${methods.join(', ')} alone, and ${challenge} is used`)
  return { kind: 'allowed' }
}

/** Asks the name servers of the system, or these. @param servers as Node's resolver takes them; empty: the system's */
export function caaOf(servers: readonly string[], signal: AbortSignal): AskCaa {
  return async (domain) => {
    const resolver = new Resolver({ timeout: TIMEOUT_MS, tries: 2 })
    const cancel = () => resolver.cancel()
    signal.addEventListener('abort', cancel, { once: true })
    try {
      signal.throwIfAborted()
      if (servers.length > 0) resolver.setServers([...servers])
      return (await resolver.resolveCaa(domain)).flatMap((record) => recordsIn({ ...record }))
    } catch (error) {
      if (error instanceof Error && 'code' in error && NO_RECORDS.has(String(error.code))) return []
      throw error
    } finally {
      signal.removeEventListener('abort', cancel)
    }
  }
}

const TIMEOUT_MS = 1_500
const NO_RECORDS = new Set(['ENODATA', 'ENOTFOUND'])

/** Node has the tag as a key beside `critical`. */
function recordsIn({ critical, type: _, ...tags }: Readonly<Record<string, unknown>>): CaaRecord[] {
  return Object.entries(tags).map(([tag, value]) => ({
    isCritical: typeof critical === 'number' && (critical & 0x80) !== 0,
    tag: tag.toLowerCase(),
    value: String(value),
  }))
}
