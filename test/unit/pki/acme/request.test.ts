import { createServer, type Server } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { send } from '../../../../pki/acme/request.ts'
import { makeIdentity } from '../../../support/identities.ts'
import { hasProgram } from '../../../support/programs.ts'

const { signal } = new AbortController()
let server: Server
let origin = ''

beforeAll(async () => {
  server = createServer((request, response) => {
    if (request.url === '/long') return void response.end('x'.repeat(2 ** 21))
    if (request.url === '/away') return void response.writeHead(302, { location: '/elsewhere' }).end()
    if (request.url === '/cut')
      return void response.writeHead(200, { 'content-length': '9' }).write('x', () => response.destroy())
    response.end(`${request.method} ${request.headers['user-agent']}`)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})

test('asks the loopback over HTTP', async () => {
  const { status, text } = await send({ method: 'POST', url: `${origin}/`, body: 'x' }, signal)
  expect({ status, text }).toEqual({ status: 200, text: expect.stringMatching(/^POST gate\/\d/) })
})

test('follows no redirect', async () => {
  expect(await send({ method: 'GET', url: `${origin}/away` }, signal)).toMatchObject({ status: 302 })
})

test.each([
  { name: 'a host elsewhere over HTTP', url: 'http://ca.example/secret-path', error: 'http://ca.example is not asked' },
  { name: 'another protocol', url: 'file:///etc/passwd', error: 'use an https address' },
])('$name is not asked', async ({ url, error }) => {
  await expect(send({ method: 'GET', url }, signal)).rejects.toThrow(error)
})

test.each([
  { name: 'longer than a MiB', path: '/long', error: 'longer than' },
  { name: 'cut off', path: '/cut', error: 'could not be asked' },
])('an answer that is $name is refused, without its path', async ({ path, error }) => {
  const failed = send({ method: 'GET', url: origin + path }, signal)
  await expect(failed).rejects.toThrow(error)
  await expect(failed).rejects.not.toThrow(path)
})

test.skipIf(!hasProgram('openssl')).each([
  { name: 'no CA of this host', ca: undefined, says: 'its certificate is by no CA that this host trusts' },
  {
    name: 'another CA than the one named',
    ca: 'other',
    says: 'its certificate is not by the CA in the file of tls.acme.ca',
  },
])('a certificate by $name is no riddle (needs openssl)', async ({ ca, says }) => {
  const [own, other] = [makeIdentity(['localhost']), makeIdentity(['localhost'])]
  const secure = createSecureServer(own, (_, response) => void response.end())
  await new Promise<void>((resolve) => secure.listen(0, '127.0.0.1', resolve))
  const url = `https://localhost:${(secure.address() as AddressInfo).port}/`
  const named = ca === undefined ? {} : { ca: other.cert }
  await expect(send({ method: 'GET', url, ...named }, signal)).rejects.toThrow(says)
  expect((await send({ method: 'GET', url, ca: own.cert }, signal)).status).toBe(200)
  secure.close()
})

test('a request that is given up ends with the reason', async () => {
  const given = new Error('the daemon stops')
  await expect(send({ method: 'GET', url: origin }, AbortSignal.abort(given))).rejects.toBe(given)
})
