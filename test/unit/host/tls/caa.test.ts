import { describe, expect, test } from 'vitest'
import { type CaaRecord, type Issuer, judgeCaa, relevantCaa } from '../../../../host/tls/caa.ts'

const record = (text: string): CaaRecord => {
  const [, flags = '', tag = '', value = ''] = /^(\d+) (\S+) "(.*)"$/.exec(text) ?? []
  return { isCritical: flags === '128', tag, value }
}
const ACCOUNT = 'https://ca.example/acct/1'
const ISSUER: Issuer = { identities: ['ca.example', 'ca.example.net'], account: ACCOUNT, challenge: 'dns-01' }

describe('the records that count', () => {
  const zone: Record<string, readonly CaaRecord[]> = {
    'b.example.org': [record('0 issue "ca.example"')],
    'example.org': [record('0 issue ";"')],
    com: [record('0 issue "top.example"')],
  }
  const ask = (asked: string[]) => async (domain: string) => {
    asked.push(domain)
    return zone[domain] ?? []
  }

  test.each([
    { name: 'b.example.org', from: 'b.example.org', asked: ['b.example.org'] },
    { name: 'a.b.example.org', from: 'b.example.org', asked: ['a.b.example.org', 'b.example.org'] },
    { name: '*.b.example.org', from: 'b.example.org', asked: ['b.example.org'] },
    { name: 'c.example.org', from: 'example.org', asked: ['c.example.org', 'example.org'] },
    { name: 'example.com', from: 'com', asked: ['example.com', 'com'] },
    { name: 'example.net', from: undefined, asked: ['example.net', 'net'] },
  ])('of $name are those of $from', async ({ name, from, asked }) => {
    const log: string[] = []
    expect((await relevantCaa(name, ask(log)))?.domain).toBe(from)
    expect(log).toEqual(asked)
  })

  test('a name server that fails is not one without records', async () => {
    const broken = () => Promise.reject(new Error('queryCaa ESERVFAIL example.org'))
    await expect(relevantCaa('example.org', broken)).rejects.toThrow('ESERVFAIL')
  })
})

// RFC 8659 section 4 and RFC 8657
test.each<{ records: readonly string[]; name?: string; issuer?: Partial<Issuer>; refused?: RegExp }>([
  { records: ['0 issue "ca.example"'] },
  { records: ['0 issue "CA.Example.NET"'] },
  { records: ['0 issue "other.example"', '0 issue "ca.example"'] },
  { records: ['0 iodef "mailto:a@example.org"'] },
  { records: ['0 unknown "x"'] },
  { records: ['0 issuewild ";"'] },
  { records: [`0 issue "ca.example; accounturi=${ACCOUNT}"`] },
  { records: ['0 issue "ca.example; validationmethods=http-01,dns-01"'] },
  { records: [`0 issue "ca.example;accounturi=${ACCOUNT};validationmethods=dns-01"`] },
  { records: ['0 issue "ca.example; accounturi=https://x"'], issuer: { account: undefined } },
  { records: ['0 issue "ca.example; validationmethods=http-01"'], issuer: { challenge: undefined } },
  { records: ['0 issue "ca.example"'], name: '*.example.org' },
  { records: ['0 issue ";"', '0 issuewild "ca.example"'], name: '*.example.org' },
  { records: ['0 issue ";"'], refused: /^it allows issue ";" alone$/ },
  { records: ['0 issue ""'], refused: /^it allows issue "" alone$/ },
  { records: ['0 issue "other.example"'], refused: /^it allows issue "other.example" alone$/ },
  { records: ['0 issue "sub.ca.example"'], refused: /alone$/ },
  { records: ['0 issue "ca.example"', '0 issuewild ";"'], name: '*.example.org', refused: /issuewild ";" alone$/ },
  { records: ['128 newthing "x"', '0 issue "ca.example"'], refused: /critical property "newthing"/ },
  { records: ['0 issue "ca.example; accounturi=https://x"'], refused: /the account https:\/\/x alone, and ours is/ },
  { records: ['0 issue "ca.example; validationmethods=http-01"'], refused: /http-01 alone, and dns-01 is used/ },
])('$records for $name: $refused', ({ records, name = 'example.org', issuer = {}, refused }) => {
  const verdict = judgeCaa(records.map(record), name, { ...ISSUER, ...issuer })
  if (refused === undefined) expect(verdict).toEqual({ kind: 'allowed' })
  else expect(verdict).toEqual({ kind: 'refused', why: expect.stringMatching(refused) })
})
