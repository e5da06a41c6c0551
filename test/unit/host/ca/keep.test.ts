import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { readAuthority } from '../../../../host/ca/authority.ts'
import { issueByHand, revokeIssued } from '../../../../host/ca/by-hand.ts'
import { keepAuthority, noteReloaded } from '../../../../host/ca/keep.ts'
import { type Host, localHost } from '../../../../host/host.ts'
import { readAuthority as readFacts } from '../../../../pki/ca/authority.ts'
import { issueLeaf } from '../../../../pki/ca/leaf.ts'
import { certificatesIn, isSignedBy, matchesKey } from '../../../../pki/certificate.ts'
import type { AuthorityRequest } from '../../../../schemas/deploy/authority.ts'
import { temporaryDirectory } from '../../../support/temporary-directory.ts'

const DAY_MS = 86_400_000
const start = Date.parse('2026-11-30T12:00:00Z')
let home: ReturnType<typeof temporaryDirectory>
beforeEach(() => {
  home = temporaryDirectory()
  mkdirSync(home.file('issuer'))
})
afterEach(() => home.remove())

/** This machine, with the group of this process called "proxy". */
function host(): Host {
  const local = localHost()
  const group = `proxy:x:${process.getgid?.()}:\n`
  return { ...local, read: (path) => (path === '/etc/group' ? group : local.read(path)) }
}

const request = (changed: Partial<AuthorityRequest> = {}): AuthorityRequest => ({
  version: 1,
  label: 'ai.example.org',
  permitted: { domains: ['ai.example.org'], addresses: [] },
  directory: home.file('private'),
  published: home.file('published'),
  proxy: { names: ['ai.example.org', 'chat.ai.example.org'], group: 'proxy', unit: 'nginx.service' },
  issuer: { directory: home.file('issuer'), group: 'proxy' },
  ...changed,
})

/** What was made; the proxy is told then. */
async function keep(nowMs: number, asked = request()) {
  const kept = await keepAuthority(host(), asked, { nowMs, random: randomBytes })
  noteReloaded(host(), asked.directory)
  return kept
}
const FILES = [
  'private/root.crt',
  'private/root.key',
  'published/proxy.crt',
  'published/proxy.key',
  'issuer/issuer.pem',
  'issuer/issuer.key',
  'published/ca.crt',
]
const texts = () => Object.fromEntries(FILES.map((name) => [name, home.read(name)]))
const modeOf = (name: string) => (statSync(home.file(name)).mode & 0o777).toString(8)
const authority = () => readAuthority(host(), home.file('private')) ?? expect.unreachable()
const [first, second] = [0, 1]

test('makes a root, a certificate for the proxy, and a CA for the daemon; only their readers open the keys', async () => {
  const { done, reload } = await keep(start)
  expect(done.map((line) => line.split(' ').slice(0, 2).join(' '))).toEqual(['made a', 'issued the', 'made a'])
  expect(reload).toBe('nginx.service')
  const made = texts()
  const root = made['private/root.crt'] ?? ''
  expect(made['published/ca.crt']).toBe(root)
  for (const [cert, key] of [
    ['published/proxy.crt', 'published/proxy.key'],
    ['issuer/issuer.pem', 'issuer/issuer.key'],
  ] as const) {
    expect(isSignedBy(made[cert] ?? '', root)).toBe(true)
    expect(matchesKey(made[cert] ?? '', made[key] ?? '')).toBe(true)
  }
  expect(certificatesIn(made['published/proxy.crt'] ?? '')[first]?.names).toEqual([
    'ai.example.org',
    'chat.ai.example.org',
  ])
  const leaf = await issueLeaf(
    { cert: made['issuer/issuer.pem'] ?? '', key: made['issuer/issuer.key'] ?? '' },
    ['ai.example.org'],
    start,
    randomBytes,
  )
  expect(certificatesIn(leaf.cert)).toHaveLength(2)
  expect(
    [
      'private',
      'private/root.key',
      'private/issued.json',
      'published/proxy.key',
      'issuer/issuer.key',
      'published/ca.crt',
    ].map(modeOf),
  ).toEqual(['700', '600', '600', '640', '640', '644'])
})

test('changes nothing the second time, nor a week later', async () => {
  await keep(start)
  const made = texts()
  expect(await keep(start + 1000)).toEqual({ done: [], reload: undefined })
  expect(await keep(start + 7 * DAY_MS)).toEqual({ done: [], reload: undefined })
  expect(texts()).toEqual(made)
})

test('the proxy is told of its certificate also when what came after it failed, until it was told', async () => {
  const issuer = { directory: home.file('issuer'), group: 'nobody-has-this' }
  await expect(keep(start, request({ issuer }))).rejects.toMatchObject({ problems: [{ code: 'CA_REFUSES' }] })
  const untold = await keepAuthority(host(), request(), { nowMs: start + DAY_MS, random: randomBytes })
  expect(untold.reload).toBe('nginx.service')
  expect((await keep(start + 2 * DAY_MS)).reload).toBe('nginx.service')
  expect((await keep(start + 3 * DAY_MS)).reload).toBeUndefined()
})

test('knows an address again in any spelling', async () => {
  const permitted = { domains: ['ai.example.org'], addresses: ['2001:DB8:0::7', '2001:db8::8'] }
  const proxy = { names: ['2001:db8::7', '2001:0db8::8'], group: 'proxy', unit: 'nginx.service' }
  const asked = request({ permitted, proxy })
  await keep(start, asked)
  expect(await keep(start + 1000, asked)).toEqual({ done: [], reload: undefined })
})

test('issues anew when a third of the life is left, with another key, and the root stays', async () => {
  await keep(start)
  const made = texts()
  const { done, reload } = await keep(start + 10 * DAY_MS)
  expect(done).toEqual([expect.stringContaining('a third of its life is left')])
  expect(reload).toBe('nginx.service')
  const now = texts()
  expect(now['published/proxy.key']).not.toBe(made['published/proxy.key'])
  expect(now['private/root.crt']).toBe(made['private/root.crt'])
  expect(now['issuer/issuer.pem']).toBe(made['issuer/issuer.pem'])
  expect((await keep(start + 61 * DAY_MS)).done.at(-1)).toContain('made a CA for the daemon')
})

describe('issues anew what', () => {
  test.each([
    { what: 'is gone', harm: () => rmSync(home.file('published/proxy.crt')), why: 'there is none' },
    { what: 'lost its key', harm: () => rmSync(home.file('published/proxy.key')), why: 'there is none' },
    {
      what: 'has another key',
      harm: () => home.write('published/proxy.key', home.read('issuer/issuer.key')),
      why: 'its key is another one',
    },
    {
      what: 'is cut off',
      harm: () => home.write('published/proxy.crt', home.read('published/proxy.crt').slice(0, 300)),
      why: 'there is none',
    },
    {
      what: 'is of another CA',
      harm: () => {
        home.write('published/proxy.crt', home.read('issuer/issuer.pem'))
        home.write('published/proxy.key', home.read('issuer/issuer.key'))
      },
      why: 'its names are others',
    },
  ])('$what', async ({ harm, why }) => {
    await keep(start)
    harm()
    expect((await keep(start)).done).toEqual([expect.stringContaining(why)])
    expect((await keep(start)).done).toEqual([])
  })

  test('was revoked; the list says so', async () => {
    await keep(start)
    const [{ serial = '' } = {}] = certificatesIn(home.read('published/proxy.crt'))
    expect(revokeIssued(host(), authority(), 'chat.ai.example.org', start)).toHaveLength(1)
    const list = home.read('published/ca.crl')
    expect((await keep(start + 1000)).done).toEqual([expect.stringContaining('it is revoked')])
    expect(certificatesIn(home.read('published/proxy.crt'))[first]?.serial).not.toBe(serial)
    expect(home.read('published/ca.crl')).not.toBe(list)
  })

  test('has other names by now', async () => {
    await keep(start)
    const proxy = { names: ['ai.example.org'], group: 'proxy', unit: 'nginx.service' }
    expect((await keep(start, request({ proxy }))).done).toEqual([expect.stringContaining('its names are others')])
  })
})

describe('refuses, and leaves what serves,', () => {
  test('names that the root may not sign for', async () => {
    await keep(start)
    const made = texts()
    const permitted = { domains: ['ai.example.org', 'other.example'], addresses: ['192.0.2.7'] }
    await expect(keep(start, request({ permitted }))).rejects.toMatchObject({
      problems: [{ code: 'CA_REFUSES', message: expect.stringContaining('other.example, 192.0.2.7') as string }],
    })
    expect(texts()).toEqual(made)
  })

  test.each([
    { clock: 'before the root was made', nowMs: start - 365 * DAY_MS },
    { clock: 'after the root is over', nowMs: start + 4000 * DAY_MS },
  ])('a clock that is $clock', async ({ nowMs }) => {
    await keep(start)
    const made = texts()
    await expect(keep(nowMs)).rejects.toMatchObject({
      problems: [{ code: 'CA_REFUSES', hint: expect.stringContaining('set the clock') as string }],
    })
    expect(texts()).toEqual(made)
  })

  test('a root without its key', async () => {
    await keep(start)
    rmSync(home.file('private/root.key'))
    await expect(keep(start)).rejects.toMatchObject({ problems: [{ code: 'BAD_RECORD' }] })
  })

  test.each(['root', 'next'])('a key of the %s that is cut off, by its file', async (name) => {
    await keep(start)
    await keep(readFacts(home.read('private/root.crt')).toMs - 729 * DAY_MS)
    const file = home.file(`private/${name}.key`)
    writeFileSync(file, readFileSync(file, 'utf8').slice(0, 60))
    await expect(keep(start)).rejects.toMatchObject({
      problems: [{ code: 'BAD_RECORD', message: expect.stringContaining(`${file} is damaged`) as string }],
    })
  })

  test('a ledger that is not ours', async () => {
    await keep(start)
    home.write('private/issued.json', '{}')
    await expect(keep(start)).rejects.toMatchObject({ problems: [{ code: 'BAD_RECORD' }] })
  })

  test('a group that is not there', async () => {
    const proxy = { names: ['ai.example.org'], group: 'nobody-has-this', unit: 'nginx.service' }
    await expect(keep(start, request({ proxy }))).rejects.toMatchObject({ problems: [{ code: 'CA_REFUSES' }] })
  })
})

test('a root has a successor two years before its end, which clients learn, and which signs a year later', async () => {
  await keep(start)
  const root = home.read('private/root.crt')
  const endMs = readFacts(root).toMs
  expect((await keep(endMs - 731 * DAY_MS)).done.join()).not.toContain('follows')
  expect((await keep(endMs - 729 * DAY_MS)).done[first]).toContain('made the root that follows')
  const next = home.read('private/next.crt')
  expect(certificatesIn(home.read('published/ca.crt')).map(({ pem }) => pem)).toEqual([root, next])
  expect(isSignedBy(home.read('published/proxy.crt'), root)).toBe(true)
  expect((await keep(endMs - 364 * DAY_MS)).done[first]).toContain('signs from now on')
  expect(home.read('private/root.crt')).toBe(next)
  expect(isSignedBy(home.read('published/proxy.crt'), next)).toBe(true)
  expect(certificatesIn(home.read('published/ca.crt')).map(({ pem }) => pem)).toEqual([next, root])
  await keep(endMs + DAY_MS)
  expect(certificatesIn(home.read('published/ca.crt')).map(({ pem }) => pem)).toEqual([next])
})

test('a clock that is wrong for a day near the end rolls nothing', async () => {
  await keep(start)
  const endMs = readFacts(home.read('private/root.crt')).toMs
  await keep(endMs - 10 * DAY_MS)
  await keep(endMs - 9 * DAY_MS)
  expect(isSignedBy(home.read('published/proxy.crt'), home.read('private/root.crt'))).toBe(true)
  expect(certificatesIn(home.read('published/ca.crt'))[second]?.fromMs).toBeGreaterThan(endMs - 11 * DAY_MS)
  expect((await keep(start + DAY_MS)).done.join()).not.toContain('signs from now on')
})

describe('what was issued by hand', () => {
  const issue = async (place: string) => {
    await keep(start)
    return await issueByHand(
      host(),
      authority(),
      { names: ['db.ai.example.org'], place },
      { nowMs: start, random: randomBytes },
    )
  }

  test('is renewed where it is, until it is revoked', async () => {
    await issue(home.file('published/issued/db'))
    const before = home.read('published/issued/db.crt')
    const later = start + 10 * DAY_MS
    expect((await keep(later)).done).toContainEqual(expect.stringContaining('issued/db.crt for db.ai.example.org'))
    expect(home.read('published/issued/db.crt')).not.toBe(before)
    expect(revokeIssued(host(), authority(), 'db.ai.example.org', later)).toHaveLength(2)
    const revoked = home.read('published/issued/db.crt')
    await keep(later + 10 * DAY_MS)
    expect(home.read('published/issued/db.crt')).toBe(revoked)
  })

  test('is left alone elsewhere', async () => {
    await issue(home.file('elsewhere/db'))
    const before = readFileSync(home.file('elsewhere/db.crt'), 'utf8')
    await keep(start + 10 * DAY_MS)
    expect(readFileSync(home.file('elsewhere/db.crt'), 'utf8')).toBe(before)
  })

  test('keeps nothing else from being renewed when it cannot be', async () => {
    await issue(home.file('published/issued/db'))
    const file = home.file('private/issued.json')
    writeFileSync(file, readFileSync(file, 'utf8').replaceAll('"db.ai.example.org"', '"db.example.com"'))
    const { done } = await keep(start + 10 * DAY_MS)
    expect(done).toContainEqual(expect.stringContaining('was not renewed'))
    expect(done).toContainEqual(expect.stringContaining('issued the certificate of the proxy'))
  })
})
