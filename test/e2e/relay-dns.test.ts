import { X509Certificate } from 'node:crypto'
import { Resolver } from 'node:dns/promises'
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { dnsResponder } from '../../pki/acme/challenges/dns.ts'
import { newKey, openAcmeClient } from '../../pki/acme/client.ts'
import { dnsView } from '../../pki/acme/dns/view.ts'
import { orderCertificate } from '../../pki/acme/order.ts'
import { send } from '../../pki/acme/request.ts'
import { hasBind9, startBind9 } from '../support/bind9.ts'
import { until } from '../support/daemon.ts'
import { hasPebble, type Pebble, startPebble } from '../support/pebble.ts'
import { DOMAIN, type TestNode } from '../support/relay.ts'
import { claim, type RelayProgram, startAnsweringNode, startRelayProgram } from '../support/relay-program.ts'

const never = new AbortController().signal
const DIGEST = 'x'.repeat(43)

describe.skipIf(!hasPebble || !hasBind9)('records of challenges (needs pebble and bind9)', () => {
  let bind: Awaited<ReturnType<typeof startBind9>>
  let pebble: Pebble
  let relay: RelayProgram
  let node: TestNode
  const environment = () => ({
    RELAY__DNS__PROVIDER: 'rfc2136',
    RELAY__DNS__RFC2136__SERVER: bind.server,
    RELAY__DNS__RFC2136__KEY_NAME: bind.key.name,
    RELAY__DNS__RFC2136__SECRET: bind.key.secret,
  })
  beforeAll(async () => {
    bind = await startBind9(DOMAIN, 'hmac-sha256')
    pebble = await startPebble({ dns: bind.server })
    relay = await startRelayProgram(environment())
    node = await startAnsweringNode(relay, 'home')
  })
  afterAll(async () => {
    node?.stop()
    await relay?.stop()
    relay?.remove()
    await pebble?.remove()
    await bind?.stop()
  })

  /** Values of the record of a host at the name server. */
  async function valuesOf(host: string): Promise<readonly string[]> {
    const resolver = new Resolver()
    resolver.setServers([bind.server])
    return (await resolver.resolveTxt(`_acme-challenge.${host}`).catch((): string[][] => [])).map((parts) =>
      parts.join(''),
    )
  }

  test.each(['ecdsa', 'rsa'] as const)('a node gets a certificate by dns-01 through its relay: %s', async (kind) => {
    expect(await claim(node, 'myserver')).toMatchObject({ result: 'ok' })
    const account = {
      directory: pebble.directory,
      ca: readFileSync(pebble.caFile, 'utf8'),
      key: await newKey('ecdsa'),
      url: undefined,
      eab: undefined,
    }
    const client = openAcmeClient(account, send, Date.now, never)
    await client.register(undefined)
    const asked = (type: 'txt-set' | 'txt-remove') => async (name: string, value: string) => {
      const answer = await node.ask({ type, host: name.replace('_acme-challenge.', ''), value })
      if (answer.result !== 'ok') throw new Error(`${answer.result}: ${answer.detail}`)
    }
    const provider = { present: asked('txt-set'), remove: asked('txt-remove') }
    const responder = dnsResponder(provider, dnsView([bind.server], bind.server), (_, error) =>
      expect.unreachable(String(error)),
    )
    const names = [node.host, `myserver.${DOMAIN}`]
    const ordered = await orderCertificate(client, responder, { names, key: kind, replaces: undefined }, never)
    const certificate = new X509Certificate(ordered.cert)
    for (const name of names) expect(certificate.checkHost(name)).toBe(name)
    expect(certificate.publicKey.asymmetricKeyType).toBe(kind === 'rsa' ? 'rsa' : 'ec')
    for (const name of names) expect(await valuesOf(name)).toEqual([])
  })

  test.each([
    { what: "another node's name", host: `${'a'.repeat(32)}.${DOMAIN}`, value: DIGEST, result: 'not-owner' },
    { what: 'a name that no one has', host: `unclaimed.${DOMAIN}`, value: DIGEST, result: 'not-owner' },
    { what: 'the domain itself', host: DOMAIN, value: DIGEST, result: 'not-allowed' },
    { what: 'the relay', host: `relay.${DOMAIN}`, value: DIGEST, result: 'not-owner' },
    { what: 'a name outside of the domain', host: 'example.org', value: DIGEST, result: 'not-allowed' },
    { what: 'a double label', host: `www.HOST`, value: DIGEST, result: 'not-allowed' },
    { what: 'a record instead of a host', host: `_acme-challenge.HOST`, value: DIGEST, result: 'not-allowed' },
    { what: 'a wildcard', host: `*.HOST`, value: DIGEST, result: 'not-allowed' },
    { what: 'a value that is no digest', host: 'HOST', value: 'v=spf1 include:evil.example -all', result: 'bad-value' },
    { what: 'a value that is too long', host: 'HOST', value: 'x'.repeat(44), result: 'bad-value' },
    { what: 'a value with an end of line', host: 'HOST', value: `${'x'.repeat(42)}\n`, result: 'bad-value' },
  ])('nothing is written for $what', async ({ host, value, result }) => {
    const named = host.replace('HOST', node.host)
    expect(await node.ask({ type: 'txt-set', host: named, value })).toMatchObject({ result })
    expect(await valuesOf(named)).toEqual([])
  })

  test('a name has two values at most, and what a stopped relay left is removed', async () => {
    const values = ['a', 'b', 'c'].map((letter) => letter.repeat(43))
    const results = []
    for (const value of values) results.push((await node.ask({ type: 'txt-set', host: node.host, value })).result)
    expect(results).toEqual(['ok', 'ok', 'too-many'])
    expect([...(await valuesOf(node.host))].sort()).toEqual(values.slice(0, 2))
    const { stateDirectory } = relay
    await relay.kill()
    const file = `${stateDirectory}/registry.json`
    const { writeFileSync } = await import('node:fs')
    // as if ten minutes had gone by
    const stored = readFileSync(file, 'utf8')
    const older = stored.replaceAll(/\["txt\/[^"]+","(?:[^"\\]|\\.)*"/g, (record) => record.replaceAll(/:\d+/g, ':1'))
    expect(older).not.toBe(stored)
    writeFileSync(file, older)
    relay = await startRelayProgram(environment(), stateDirectory)
    await until(async () => (await valuesOf(node.host)).length === 0)
  })
})
