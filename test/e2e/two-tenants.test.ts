import { request } from 'node:http'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Daemon, startDaemon } from '../support/daemon.ts'
import { openApiOf } from '../support/openapi.ts'

type Person = { readonly session: string; readonly key: string }

let daemon: Daemon
let api: Awaited<ReturnType<typeof openApiOf>>
let ann: Person
let bob: Person
let canSignIn = true

beforeAll(async () => {
  daemon = await startDaemon({ GATE_AUTH__MODE: '["token","password"]' })
  api = await openApiOf(daemon.url)
  canSignIn = !(await onSocket('POST', '/api/admin/users', { name: 'eve', password: 'the-password-of-eve' })).includes(
    'SIGN_IN_REFUSED',
  )
  if (!canSignIn) return
  ann = await makePerson('ann')
  bob = await makePerson('bob')
})
afterAll(async () => {
  await daemon.stop()
  daemon.remove()
})

/** What ann has, by the path under which she would ask for it. @returns its id */
const MAKERS: readonly { readonly paths: RegExp; readonly make: () => Promise<string> }[] = [
  { paths: /^\/api\/user\/tokens\/\{id\}/, make: async () => (await makeToken(ann.session)).id },
  {
    paths: /^\/api\/user\/sessions\/\{id\}/,
    make: async () => String((await ask(ann.session, 'GET', '/api/user/sessions')).value.sessions[0].id),
  },
  { paths: /^\/v1\/responses\/\{/, make: makeResponse },
]

/** Its own tests try it. */
const TRIED_ELSEWHERE = ['/api/user/devices/{id}', '/api/user/passkeys/{id}']

test('every route of users that names an object has somebody else try it', () => {
  const named = api.routes.filter(({ path }) => /^\/api\/user\/.*\{/.test(path)).map(({ path }) => path)
  expect(named.length).toBeGreaterThan(0)
  for (const path of named.filter((one) => !TRIED_ELSEWHERE.includes(one)))
    expect(
      MAKERS.some(({ paths }) => paths.test(path)),
      path,
    ).toBe(true)
})

test("what is another's is answered as if it were not there, and stays", async ({ skip }) => {
  skip(!canSignIn, 'nobody can sign in')
  const tried = api.routes.flatMap((route) => {
    const maker = MAKERS.find(({ paths }) => paths.test(route.path))
    return maker === undefined ? [] : [{ ...route, make: maker.make }]
  })
  expect(tried.length).toBeGreaterThan(5)
  for (const { method, path, make } of tried) {
    const id = await make()
    const at = (name: string) => path.replace(/\{\w+\}/, name)
    for (const credential of path.startsWith('/v1/') ? [bob.key] : [bob.key, bob.session]) {
      const foreign = await ask(credential, method, at(id))
      const absent = await ask(credential, method, at(id.replace(/[0-9a-f]{4}$/, '0000')))
      expect(foreign.status, `${method} ${path}`).toBe(404)
      expect(shapeOf(foreign.value), `${method} ${path}`).toEqual(shapeOf(absent.value))
    }
  }
  expect((await ask(ann.session, 'GET', '/auth/me')).status).toBe(200)
})

/** An answer without the ids that it quotes. */
const shapeOf = (value: unknown): unknown => JSON.parse(JSON.stringify(value).replace(/[\w-]*[0-9a-f]{4}\b/g, 'ID'))

async function ask(credential: string, method: string, path: string, body?: unknown) {
  const headers = {
    authorization: `Bearer ${credential}`,
    ...(body !== undefined && { 'content-type': 'application/json' }),
  }
  const sent = body === undefined ? {} : { body: JSON.stringify(body) }
  const answer = await fetch(daemon.url + path, { method, headers, ...sent })
  // biome-ignore lint/suspicious/noExplicitAny: what is looked at is expected to be there
  return { status: answer.status, value: JSON.parse((await answer.text()) || 'null') as any }
}

async function makeToken(session: string): Promise<{ id: string; token: string }> {
  const { value } = await ask(session, 'POST', '/api/user/tokens', { name: 'k', scopes: ['chat:read', 'chat:write'] })
  return value
}

async function makePerson(name: string): Promise<Person> {
  const password = `the-password-of-${name}`
  await onSocket('POST', '/api/admin/users', { name, role: 'member', password })
  const answer = await fetch(`${daemon.url}/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username: name, password }),
  })
  const { token } = (await answer.json()) as { token: string } // its shape is tested elsewhere
  return { session: token, key: (await makeToken(token)).token }
}

async function makeResponse(): Promise<string> {
  const { value } = await ask(ann.key, 'POST', '/v1/responses', { model: 'echo', input: 'hello' })
  return value.id
}

function onSocket(method: string, path: string, body: unknown): Promise<string> {
  return new Promise((resolve, reject) => {
    const socketPath = join(daemon.stateDirectory, 'admin.sock')
    const sent = request({ socketPath, method, path, agent: false }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk
      })
      response.on('end', () => resolve(text))
    })
    sent.once('error', reject)
    sent.end(JSON.stringify(body))
  })
}
