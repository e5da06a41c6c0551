import { X509Certificate } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { Finding } from '../../../../host/doctor/finding.ts'
import { chain, expiry } from '../../../../host/tls/checks/certificate.ts'
import type { Agreed, Site, SiteCheck } from '../../../../host/tls/site.ts'
import { makeIdentity } from '../../../support/identities.ts'
import { hasProgram } from '../../../support/programs.ts'

const { signal } = new AbortController()

describe.skipIf(!hasProgram('openssl'))('what certificates are called (needs openssl)', () => {
  async function examined(check: SiteCheck, subject: string): Promise<readonly Finding[]> {
    const leaf = new X509Certificate(makeIdentity(['ai.example.org'], 'ec', subject).cert)
    const greeting = { kind: 'agreed', chain: [leaf], distrust: undefined } as unknown as Agreed
    const site = {
      name: 'ai.example.org',
      trust: [],
      now: Date.now,
      greeting: Promise.resolve(greeting),
    } as unknown as Site
    return await check.examine(site, signal)
  }

  test.each([
    { of: 'their common name', subject: '/CN=gate', chained: 'gate', named: 'gate: ' },
    { of: 'all of a subject without one', subject: '/O=Gate', chained: 'O=Gate', named: 'O=Gate: ' },
    {
      of: 'their first name without a subject',
      subject: '/',
      chained: 'ai.example.org ← (no name)',
      named: 'ai.example.org: ',
    },
  ])('is $of', async ({ subject, chained, named }) => {
    expect(JSON.stringify(await examined(chain, subject))).toContain(`"${chained}"`)
    expect(JSON.stringify(await examined(expiry, subject))).toContain(`"${named}`)
  })
})

describe.skipIf(!hasProgram('openssl'))('a chain that has expired (needs openssl)', () => {
  const own = makeIdentity(['ai.example.org']).cert
  const other = makeIdentity(['ai.example.org'], 'ec', '/CN=other').cert

  test.each([
    { name: 'signed itself', trust: [other], says: '"fail".*DEPTH_ZERO_SELF_SIGNED_CERT.*tls.files' },
    { name: 'is believed', trust: [other, own], says: '"ok"' },
  ])('and $name', async ({ trust, says }) => {
    const greeting = { kind: 'agreed', chain: [new X509Certificate(own)], distrust: 'CERT_HAS_EXPIRED' }
    const site = { name: 'ai.example.org', trust, greeting: Promise.resolve(greeting) } as unknown as Site
    expect(JSON.stringify(await chain.examine(site, signal))).toMatch(new RegExp(says))
  })
})
