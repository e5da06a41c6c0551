import { isIP } from 'node:net'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compile } from '../../../../compiler/compile.ts'
import { conflicts } from '../../../../config/rules.ts'
import { configSchema } from '../../../../schemas/config/config.ts'
import { keyTree } from '../../../../schemas/config/keys.ts'
import {
  addressBlock,
  addressBlocks,
  addressOf,
  canonicalHost,
  hostPattern,
  hostPort,
  hostPortPattern,
  hostsOverlap,
  isEveryInterface,
  isLoopback,
  parseHostPort,
} from '../../../../schemas/words/address.ts'
import { HOSTS } from '../../../support/hosts.ts'

const tree = keyTree(configSchema)
/** The daemon takes such a configuration. */
function daemonTakes(server: { host: string }): boolean {
  const read = configSchema.safeParse({ server, auth: { mode: 'none' } })
  return read.success && conflicts(read.data, tree).length === 0
}

describe.each(HOSTS)('A17: $host', ({ host, isHost, reach, address }) => {
  test('has one verdict', () => {
    expect(hostPattern.test(host)).toBe(isHost)
    expect(isLoopback(host)).toBe(reach === 'here')
    expect(isEveryInterface(host)).toBe(reach === 'every')
    if (isHost) expect(addressOf(host)).toBe(address)
  })

  test('with auth.mode none is taken by the compiler and the daemon alike, and for this host only', () => {
    const spec = `[gate.server]\nhost = ${JSON.stringify(host)}\n[gate.auth]\nmode = "none"\n`
    const compiled = compile(spec, { targets: ['declared'] }).kind === 'compiled'
    expect({ compiler: compiled, daemon: daemonTakes({ host }) }).toEqual({
      compiler: isHost && reach === 'here',
      daemon: isHost && reach === 'here',
    })
  })
})

test('every address that Node knows is a host, and its one form is an address of the same kind of reach', () => {
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
      expect(hostPattern.test(text)).toBe(true)
      const canonical = canonicalHost(text)
      expect(isIP(canonical)).not.toBe(0)
      expect(canonicalHost(canonical)).toBe(canonical)
      expect(hostsOverlap(text, canonical)).toBe(true)
      expect(parseHostPort(hostPort(text, 80))).toEqual({ host: canonical, port: 80 })
    }),
  )
})

test.each([
  { a: '127.0.0.1', b: 'localhost', meet: true },
  { a: '[::1]', b: '0:0::1', meet: true },
  { a: '::ffff:127.0.0.1', b: '127.0.0.1', meet: true },
  { a: '*', b: '10.0.0.1', meet: true },
  { a: '0::', b: '10.0.0.1', meet: true },
  { a: '127.0.0.1', b: '127.0.0.2', meet: false },
  { a: 'a.example', b: 'b.example', meet: false },
])('listeners on $a and $b of one port meet: $meet', ({ a, b, meet }) => {
  expect([hostsOverlap(a, b), hostsOverlap(b, a)]).toEqual([meet, meet])
})

test.each([
  { authority: 'Example.org:443', host: 'example.org', port: 443 },
  { authority: 'example.org.', host: 'example.org', port: undefined },
  { authority: 'example.org:', host: 'example.org', port: undefined },
  { authority: '[::1]:80', host: '::1', port: 80 },
  { authority: '[::1]', host: '::1', port: undefined },
  { authority: '127.0.0.1:3000', host: '127.0.0.1', port: 3000 },
])('$authority is port $port of $host', ({ authority, host, port }) => {
  expect(parseHostPort(authority)).toEqual({ host, port })
})

test.each([
  { text: 'relay.example.org:443', isOne: true },
  { text: '[2001:db8::1]:65535', isOne: true },
  { text: '10.0.0.1:1', isOne: true },
  { text: '2001:db8::1:443', isOne: false },
  { text: 'relay.example.org', isOne: false },
  { text: 'relay.example.org:0', isOne: false },
  { text: 'relay.example.org:65536', isOne: false },
  { text: ':443', isOne: false },
])('$text is a host with its port: $isOne', ({ text, isOne }) => {
  expect(hostPortPattern.test(text)).toBe(isOne)
})

test.each([
  ['192.0.2.7', '192.0.2.7'],
  ['::ffff:192.0.2.7', '192.0.2.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8:1:2::9', '2001:db8:1:2::/64'],
  ['2001:DB8:1:02:ffff::', '2001:db8:1:2::/64'],
  ['2001:db8::9', '2001:db8:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['unknown', 'unknown'],
])('%s counts as %s', (address, block) => {
  expect(addressBlock(address)).toBe(block)
})

test.each([
  { address: '192.0.2.7', network: '192.0.2.0/24' },
  { address: '::ffff:192.0.2.7', network: '192.0.2.0/24' },
  { address: '2001:db8:1:2::3', network: '2001:db8:1::/48' },
  { address: '2001:DB8::3', network: '2001:db8:0::/48' },
  { address: '::1', network: '0:0:0::/48' },
  { address: 'not an address', network: 'not an address' },
])('$address is in the network $network', ({ address, network }) => {
  expect(addressBlocks(address)).toEqual({ block: addressBlock(address), network })
})
