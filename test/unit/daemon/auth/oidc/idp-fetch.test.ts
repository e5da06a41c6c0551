import { createServer } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { idpFetch } from '../../../../../daemon/auth/oidc/idp-fetch.ts'
import { close, listen } from '../../../../support/identity-providers.ts'

const seen: string[] = []
const server = createServer((request, response) => {
  seen.push(`${request.method} ${request.url}`)
  if (request.url === '/away') return response.writeHead(302, { location: '/elsewhere' }).end()
  if (request.url === '/large') return response.writeHead(200).end(Buffer.alloc(600 * 1_024))
  if (request.url === '/none') return response.writeHead(204).end()
  return response.writeHead(200, { 'content-type': 'application/json' }).end('{"a":1}')
})
let own = ''

beforeAll(async () => {
  own = await listen(server)
})
afterAll(() => close(server))

describe('the own host of a provider', () => {
  test('may be private, since an administrator named it', async () => {
    expect(await (await idpFetch(own)(`${own}/x`, {})).json()).toEqual({ a: 1 })
  })

  test('is sent forms', async () => {
    const answer = await idpFetch(own)(`${own}/token`, { method: 'POST', body: new URLSearchParams({ a: 'b' }) })
    expect([answer.status, seen.at(-1)]).toEqual([200, 'POST /token'])
  })

  test('is not followed to where it sends', async () => {
    expect((await idpFetch(own)(`${own}/away`, {})).status).toBe(302)
    expect(seen).not.toContain('GET /elsewhere')
  })

  test('is read no further than 512 KiB', async () => {
    await expect(idpFetch(own)(`${own}/large`, {})).rejects.toThrow('more than 524288 bytes')
  })

  test('may answer nothing', async () => {
    expect(await (await idpFetch(own)(`${own}/none`, {})).text()).toBe('')
  })
})

describe('what a provider refers to elsewhere', () => {
  const port = () => new URL(own).port
  test.each([
    ['this host', () => own],
    ['this host by name', () => `http://localhost:${port()}`],
    ['this host over TLS', () => `https://localhost:${port()}`],
    ['this host with a dot', () => `https://localhost.:${port()}`],
    ['this host as one number', () => `http://2130706433:${port()}`],
    ['this host in circles', () => `http://①②⑦.⓪.⓪.①:${port()}`],
    ['this host in IPv6', () => `https://[::1]:${port()}`],
    ['this host in IPv6 that wraps IPv4', () => `https://[::ffff:7f00:1]:${port()}`],
    ['nothing', () => `https://0.0.0.0:${port()}`],
    ['a private network', () => 'https://10.0.0.1'],
    ['a network of a carrier', () => 'https://100.64.0.1'],
    ['a link, where clouds keep secrets', () => 'https://169.254.169.254'],
    ['a unique local address', () => 'https://[fd00::1]'],
    ['a link in IPv6', () => 'https://[fe80::1]'],
    ['HTTP without TLS', () => 'http://idp.example'],
    ['a password', () => 'https://user:pass@idp.example'],
  ])('is refused where it is %s', async (_, url) => {
    const before = seen.length
    await expect(idpFetch('https://idp.example')(`${url()}/jwks`, {})).rejects.toThrow(
      /not an address|no address of|ENOTFOUND|not over HTTPS|with a password/,
    )
    expect(seen.length).toBe(before)
  })

  test.each(['169.254.169.254', '[fe80::1]', '[::ffff:a9fe:a9fe]', '0.0.0.0', '[fd00:ec2::254]'])(
    '%s is no place of a provider, whoever named it',
    async (host) => {
      await expect(idpFetch(`https://${host}`)(`https://${host}/`, {})).rejects.toThrow('not an address')
    },
  )
})
