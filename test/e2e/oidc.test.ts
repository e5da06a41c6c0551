import { type AddressInfo, createServer, type Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Daemon, startDaemon } from '../support/daemon.ts'
import { isLong } from '../support/effort.ts'
import { type Forged, startForgingProvider } from '../support/forging-provider.ts'
import {
  CLIENT_ID,
  CLIENT_SECRET,
  type RunningProvider,
  signInAt,
  startIdentityProvider,
} from '../support/identity-providers.ts'

let daemon: Daemon
let one: RunningProvider
let two: RunningProvider
let idOne: string
let idTwo: string

beforeAll(async () => {
  daemon = await startDaemon({ GATE_AUTH__MODE: 'token,device,oidc' })
  const back = [`${daemon.url}/auth/callback`]
  one = await startIdentityProvider(back, (name) => ({ groups: name === 'olga' ? ['admins'] : [] }))
  two = await startIdentityProvider(back)
  idOne = await addProvider(one.issuer, 'One')
  idTwo = await addProvider(two.issuer, 'Two')
})
afterAll(async () => {
  await daemon.stop()
  daemon.remove()
  await Promise.all([one.stop(), two.stop()])
})

async function api(method: string, path: string, body?: unknown) {
  const headers = { authorization: `Bearer ${daemon.key}`, 'content-type': 'application/json' }
  const answer = await fetch(`${daemon.url}${path}`, {
    method,
    headers,
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> }
}

async function addProvider(issuer: string, name: string, more: object = {}): Promise<string> {
  const body = {
    name,
    issuer,
    client_id: CLIENT_ID,
    client_secret: CLIENT_SECRET,
    scopes: 'openid email profile',
    ...more,
  }
  const added = await api('POST', '/api/admin/idps', body)
  expect(added).toMatchObject({
    status: 201,
    body: { name, has_secret: true, redirect_uri: `${daemon.url}/auth/callback` },
  })
  return String(added.body['id'])
}

/** A browser, as far as cookies go. */
class Jar {
  readonly cookies = new Map<string, string>()
  async get(url: string) {
    const cookie = [...this.cookies].map((pair) => pair.join('=')).join('; ')
    const answer = await fetch(url, { redirect: 'manual', headers: cookie === '' ? {} : { cookie } })
    for (const text of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(text) ?? []
      if (value === '') this.cookies.delete(name)
      else this.cookies.set(name, value)
    }
    return answer
  }
}

async function begin(id: string, jar = new Jar(), returnTo = '/device') {
  const away = await jar.get(`${daemon.url}/auth/login?provider=${id}&return_to=${encodeURIComponent(returnTo)}`)
  return { jar, away: away.headers.get('location') ?? '' }
}

async function signedIn(id: string, name: string) {
  const { jar, away } = await begin(id)
  const back = await signInAt(away, `${daemon.url}/auth/callback`, name)
  return { jar, back, answer: await jar.get(back) }
}

const whoIs = async (jar: Jar) => (await jar.get(`${daemon.url}/api/user/devices`)).status

describe('a whole sign-in', () => {
  test('two people at the same moment: both are let in, and one is an administrator', async () => {
    const people = await Promise.all(['mara', 'nils'].map((name) => signedIn(idOne, name)))
    for (const { answer, jar } of people) {
      expect([answer.status, answer.headers.get('location')]).toEqual([303, '/device'])
      expect(await whoIs(jar)).toBe(200)
    }
    const rights = await Promise.all(
      people.map(async ({ jar }) => (await jar.get(`${daemon.url}/api/admin/idps`)).status),
    )
    expect(rights.toSorted()).toEqual([200, 403])
  })

  test('the same subject of another issuer is another person', async () => {
    const { jar } = await signedIn(idTwo, 'mara')
    expect((await jar.get(`${daemon.url}/api/admin/idps`)).status).toBe(403)
  })

  test('whoever signs out is led to the provider, to sign out there as well', async () => {
    const { jar } = await signedIn(idOne, 'mara')
    const cookie = [...jar.cookies].map((pair) => pair.join('=')).join('; ')
    const headers = { cookie, 'content-type': 'application/json', 'sec-fetch-site': 'same-origin' }
    const answer = await fetch(`${daemon.url}/auth/logout`, { method: 'POST', headers, body: '{}' })
    const { url } = (await answer.json()) as { url: string }
    expect([answer.status, new URL(url).origin]).toEqual([200, one.issuer])
    expect(new URL(url).searchParams.get('post_logout_redirect_uri')).toBe(`${daemon.url}/login`)
    const asked = await fetch(url)
    expect([asked.status, await asked.text()]).toEqual([200, expect.stringContaining('/session/end')])
    expect(await whoIs(jar)).toBe(401)
  })

  test('a secret is shown nowhere, and stored sealed', async () => {
    const { body } = await api('GET', '/api/admin/idps')
    expect(JSON.stringify(body)).not.toContain(CLIENT_SECRET)
    expect(daemon.output()).not.toContain(CLIENT_SECRET)
  })
})

describe('what does not hold', () => {
  let forger: Awaited<ReturnType<typeof startForgingProvider>>
  let idForger: string
  beforeAll(async () => {
    forger = await startForgingProvider(CLIENT_SECRET)
    idForger = await addProvider(forger.issuer, 'Forger')
  })
  afterAll(() => forger.stop())

  /** Comes back from the forging provider as if the person had signed in there. */
  async function comeBack(forged: Forged & { nonce?: string }, query: Record<string, string | undefined> = {}) {
    const { jar, away } = await begin(idForger)
    const asked = new URL(away).searchParams
    const { nonce = asked.get('nonce'), claims, ...rest } = forged
    forger.forge({ ...rest, claims: { nonce, ...claims } })
    const brought = { code: 'code', state: asked.get('state') ?? '', iss: forger.issuer, ...query }
    const back = new URL(`${daemon.url}/auth/callback`)
    for (const [name, value] of Object.entries(brought)) if (value !== undefined) back.searchParams.set(name, value)
    return { jar, answer: await jar.get(back.href) }
  }
  const now = () => Math.floor(Date.now() / 1_000)

  test.each<{ readonly name: string; readonly forged: () => Forged & { nonce?: string }; readonly isTaken?: true }>([
    { name: 'nothing: a sound token is taken', forged: () => ({}), isTaken: true },
    { name: 'a clock that is 20 s slow is taken', forged: () => ({ claims: { exp: now() - 20 } }), isTaken: true },
    { name: 'a clock that is 20 s fast is taken', forged: () => ({ claims: { nbf: now() + 20 } }), isTaken: true },
    { name: 'a clock that is two minutes slow', forged: () => ({ claims: { exp: now() - 120 } }) },
    { name: 'a clock that is two minutes fast', forged: () => ({ claims: { nbf: now() + 120 } }) },
    { name: 'an expired token', forged: () => ({ claims: { iat: now() - 7_200, exp: now() - 3_600 } }) },
    { name: 'a token without end', forged: () => ({ claims: { exp: undefined } }) },
    { name: 'another nonce', forged: () => ({ nonce: 'another' }) },
    { name: 'no nonce', forged: () => ({ claims: { nonce: undefined } }) },
    { name: 'another issuer in the token', forged: () => ({ claims: { iss: 'https://idp.example' } }) },
    { name: 'the token of another client', forged: () => ({ claims: { aud: 'another' } }) },
    {
      name: 'the token of several clients, for another',
      forged: () => ({ claims: { aud: ['gate', 'another'], azp: 'another' } }),
    },
    { name: 'no subject', forged: () => ({ claims: { sub: undefined } }) },
    { name: 'alg none', forged: () => ({ header: { alg: 'none' }, signedBy: 'nobody' }) },
    { name: 'no signature', forged: () => ({ signedBy: 'nobody' }) },
    { name: 'another key', forged: () => ({ signedBy: 'another key' }) },
    {
      name: 'HS256 with the client secret',
      forged: () => ({ header: { alg: 'HS256' }, signedBy: 'the client secret' }),
    },
    { name: 'HS256 with the public key', forged: () => ({ header: { alg: 'HS256' }, signedBy: 'the public key' }) },
    {
      name: 'a key that comes with the token',
      forged: () => ({ header: { jwk: forger.otherKey }, signedBy: 'another key' }),
    },
    {
      name: 'a key that the token points to',
      forged: () => ({ header: { jku: `${forger.issuer}/other` }, signedBy: 'another key' }),
    },
    { name: 'a critical header that nobody knows', forged: () => ({ header: { crit: ['x'], x: 1 } }) },
  ])('$name', async ({ forged, isTaken }) => {
    const { jar, answer } = await comeBack(forged())
    expect(answer.status).toBe(isTaken ? 303 : 401)
    expect([...jar.cookies.keys()]).toEqual(isTaken ? ['se_session'] : [])
  })

  test('a provider whose document offers HS256 or none does not get them taken', async () => {
    forger.say({ id_token_signing_alg_values_supported: ['RS256', 'HS256', 'none'] })
    const id = await addProvider(forger.issuer, 'Weak')
    for (const forged of [
      { header: { alg: 'HS256' }, signedBy: 'the client secret' },
      { header: { alg: 'none' }, signedBy: 'nobody' },
    ] as const) {
      const { jar, away } = await begin(id)
      const asked = new URL(away).searchParams
      forger.forge({ ...forged, claims: { nonce: asked.get('nonce') } })
      const brought = { code: 'code', state: asked.get('state') ?? '', iss: forger.issuer }
      expect((await jar.get(`${daemon.url}/auth/callback?${new URLSearchParams(brought)}`)).status).toBe(401)
    }
    forger.say({})
  })

  test.each([
    { name: 'another issuer beside the code', query: { iss: 'https://idp.example' } },
    { name: 'no issuer beside the code, where the document announces one (RFC 9207)', query: { iss: undefined } },
    { name: 'an error of the provider', query: { error: 'access_denied', code: '' } },
  ])('$name never gets a code exchanged', async ({ query }) => {
    const before = forger.exchanges()
    expect((await comeBack({}, query)).answer.status).toBe(401)
    expect(forger.exchanges()).toBe(before)
  })

  test('the issuer beside the code of a real provider, which announces it, cannot be left out', async () => {
    const { jar, away } = await begin(idOne)
    const back = new URL(await signInAt(away, `${daemon.url}/auth/callback`, 'mara'))
    expect(back.searchParams.get('iss')).toBe(one.issuer)
    back.searchParams.delete('iss')
    expect([(await jar.get(back.href)).status, await whoIs(jar)]).toEqual([401, 401])
  })

  test('mix-up: the code of one provider never reaches the other', async () => {
    const { jar, away } = await begin(idForger) // the browser goes to the forger, which sends it on to an honest one
    const asked = new URL(away).searchParams
    const honest = await begin(idOne)
    const url = new URL(honest.away)
    url.searchParams.set('state', asked.get('state') ?? '')
    const back = await signInAt(url.href, `${daemon.url}/auth/callback`, 'mara')
    const before = forger.exchanges()
    const answer = await jar.get(back)
    expect([answer.status, forger.exchanges() - before]).toEqual([401, 0])
  })

  test('a callback that was used is refused, whoever brings it', async () => {
    const { jar, away } = await begin(idOne)
    const cookie = new Map(jar.cookies)
    const back = await signInAt(away, `${daemon.url}/auth/callback`, 'mara')
    expect((await jar.get(back)).status).toBe(303)
    for (const [name, value] of cookie) jar.cookies.set(name, value)
    const again = await jar.get(back)
    expect([again.status, await again.text()]).toEqual([401, expect.stringContaining('was finished before')])
  })

  test('a code that was begun in another browser is refused (login CSRF, code injection)', async () => {
    const { away } = await begin(idOne)
    const back = await signInAt(away, `${daemon.url}/auth/callback`, 'eve')
    const victim = await begin(idOne)
    for (const jar of [new Jar(), victim.jar]) expect((await jar.get(back)).status).toBe(401)
    const injected = new URL(back)
    const { jar, away: own } = await begin(idOne)
    injected.searchParams.set('state', new URL(own).searchParams.get('state') ?? '')
    expect((await jar.get(injected.href)).status).toBe(401) // the code has another challenge
  })

  test.each(['//evil.example', '/\\evil.example', 'https://evil.example', '/\t/evil.example', ''])(
    '%j is nowhere to go afterwards',
    async (to) => {
      const { jar, away } = await begin(idOne, new Jar(), to)
      const answer = await jar.get(await signInAt(away, `${daemon.url}/auth/callback`, 'mara'))
      expect(answer.headers.get('location')).toBe('/')
    },
  )

  test('whatever Host a request names, people come back to where Gate is', async () => {
    const jar = new Jar()
    const { request } = await import('node:http')
    const location = await new Promise<string>((resolve) => {
      const headers = { host: 'evil.example', 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https' }
      request(`${daemon.url}/auth/login?provider=${idOne}`, { headers }, (answer) => {
        answer.resume()
        resolve(String(answer.headers.location))
      }).end()
    })
    expect(new URL(location).searchParams.get('redirect_uri')).toBe(`${daemon.url}/auth/callback`)
    expect(jar.cookies.size).toBe(0)
  })

  test('a provider that does not answer is said to; the others work', async () => {
    const gone = await addProvider('http://127.0.0.1:1', 'Gone')
    expect((await new Jar().get(`${daemon.url}/auth/login?provider=${gone}`)).status).toBe(502)
    expect((await signedIn(idOne, 'mara')).answer.status).toBe(303)
    expect((await fetch(`${daemon.url}/auth/providers`)).status).toBe(200)
  })
})

test.skipIf(!isLong)(
  'a provider that takes connections and answers nothing is given up after ten seconds (needs test:long)',
  async () => {
    const sockets = new Set<Socket>()
    const hanging = createServer((socket) => void sockets.add(socket.on('error', () => {})))
    await new Promise<void>((resolve) => hanging.listen(0, '127.0.0.1', resolve))
    try {
      const { port } = hanging.address() as AddressInfo
      const id = await addProvider(`http://127.0.0.1:${port}`, 'Hanging')
      const all = Array.from({ length: 8 }, () => new Jar().get(`${daemon.url}/auth/login?provider=${id}`))
      expect((await signedIn(idOne, 'mara')).answer.status).toBe(303) // others do not wait for it
      expect((await Promise.all(all)).map(({ status }) => status)).toEqual(all.map(() => 502))
      expect(sockets.size).toBe(1)
    } finally {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => hanging.close(resolve))
    }
  },
)

describe('roles', () => {
  test('a claim decides, at each sign-in; who is in no group is not let in', async () => {
    const roles = { claim: 'groups', groups: [{ group: 'admins', role: 'admin' }], otherwise: 'none' }
    const id = await addProvider(one.issuer, 'By group', { roles })
    const olga = await signedIn(id, 'olga')
    expect((await olga.jar.get(`${daemon.url}/api/admin/idps`)).status).toBe(200)
    const pete = await signedIn(id, 'pete')
    expect([pete.answer.status, await pete.answer.text()]).toEqual([401, expect.stringContaining('none of the groups')])
  })
})
