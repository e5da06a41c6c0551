import { isIP } from 'node:net'
import { isLocalName } from '../../../schemas/words/address.ts'
import { addressesOf } from '../../doctor/checks/dns.ts'
import { edit, type Finding, fail, listed, ok, skip } from '../../doctor/finding.ts'
import { type CaaRecord, caaOf, judgeCaa, relevantCaa } from '../caa.ts'
import type { Site, SiteCheck } from '../site.ts'

export const address: SiteCheck = {
  name: 'address',
  summary: 'what the name points to, as programs of this host resolve it',
  async examine({ name, host }, signal) {
    if (isIP(name) !== 0) return []
    const addresses = await addressesOf(name, signal)
    if (addresses === undefined) return [skip(name, 'getent is missing, so names cannot be looked up')]
    const instead = host === name ? '' : `; ${host} was asked instead (--connect)`
    if (addresses.length > 0) return [ok(`${name} points to ${listed(addresses)}${instead}`)]
    const what = `${name} does not resolve${instead}`
    if (host !== name) return [skip(what, 'its clients need an address')]
    return [fail(what, 'no client finds it', edit(`the DNS zone of ${name}`, `${name}. A ADDRESS`))]
  },
}

/** What CAs call themselves in certificates -> in CAA records, where the one does not say the other. */
const CAA_NAMES: Readonly<Record<string, string>> = {
  "Let's Encrypt": 'letsencrypt.org',
  'Google Trust Services': 'pki.goog',
}

export const caa: SiteCheck = {
  name: 'caa',
  summary: 'which CAs may issue for the name (CAA records)',
  async examine(site, signal) {
    const { name, resolvers } = site
    if (isIP(name) !== 0 || isLocalName(name)) return []
    try {
      const relevant = await relevantCaa(name, caaOf(resolvers, signal))
      if (relevant === undefined) return [ok('no CAA records: any CA may issue')]
      return [judgeRecords(relevant.domain, relevant.records, name, await issuerOf(site))]
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      return [skip('CAA records', `could not be looked at: ${why}`)]
    }
  },
}

function judgeRecords(domain: string, records: readonly CaaRecord[], name: string, ca: string | undefined): Finding {
  const shown = listed(records.map(({ tag, value }) => `${tag} "${value}"`))
  const identity = CAA_NAMES[ca ?? '']
  if (identity === undefined) return ok(`${domain}: ${shown}`)
  const issuer = { identities: [identity], account: undefined, challenge: undefined }
  const verdict = judgeCaa(records, name, issuer)
  if (verdict.kind === 'allowed') return ok(`${domain} allows ${identity}: ${shown}`)
  const why = `${verdict.why}; the certificate of today stays valid, its renewal is refused`
  return fail(
    `CAA of ${domain} forbids ${ca}`,
    why,
    edit(`the DNS zone of ${domain}`, `${domain}. CAA 0 issue "${identity}"`),
  )
}

/** Organization of the CA that the certificate in use is from. */
async function issuerOf({ greeting }: Site): Promise<string | undefined> {
  const agreed = await greeting
  if (agreed.kind !== 'agreed') return undefined
  return /^O=(.+)$/m.exec(agreed.chain[0]?.issuer ?? '')?.[1]
}
