import { expect, test } from 'vitest'
import { compile } from '../../../compiler/compile.ts'

const backend = (name: string) => `[[relay.backends]]\nnames = ["${name}"]\naddress = "127.0.0.1:8443"\n`
const relay = (lines = '') => `[relay]\nenable = true\naddresses = ["relay.example.org:443"]\n${lines}`

test.each([
  { name: 'a name for each server', text: relay(backend('a.example.net') + backend('b.example.net')), expected: [] },
  {
    name: 'one name for two servers',
    text: relay(backend('a.example.net') + backend('a.example.net')),
    expected: ['INVALID_VALUE relay.backends[1].names[0]'],
  },
  {
    name: 'one name for a server and the gateway',
    text: relay(`names = ["a.example.net"]\n${backend('a.example.net')}`),
    expected: ['INVALID_VALUE relay.backends[0].names[0]'],
  },
  {
    name: 'an address without the domain',
    text: relay().replace('relay.example.org', '192.0.2.1'),
    expected: ['MISSING_KEY relay.addresses'],
  },
  {
    name: 'an address and the domain',
    text: relay('domain = "example.org"\n').replace('relay.example.org', '192.0.2.1'),
    expected: [],
  },
])('relays with $name', ({ text, expected }) => {
  const { diagnostics } = compile(text, { targets: ['systemd'], systemd: 257 })
  const said = diagnostics.map(({ code, path }) => `${code} ${path}`)
  expect(said.filter((line) => line.includes(' relay'))).toEqual(expected)
})

test('the daemon may connect to the servers that visitors are passed on to', () => {
  const sockets = backend('b.example.net').replace('127.0.0.1:8443', 'unix:/run/photos/tls.sock')
  const text = relay(`${backend('a.example.net').replace('127.0.0.1', '192.168.7.7')}${sockets}`)
  const compiled = compile(text, { targets: ['systemd', 'nftables'], systemd: 257 })
  if (compiled.kind === 'refused') return expect.unreachable(JSON.stringify(compiled.diagnostics))
  const all = compiled.files.map((file) => file.text).join('\n')
  expect(all).toMatch(/^BindReadOnlyPaths=-\/run\/photos$/m)
  expect(all).toMatch(/ip daddr 192\.168\.7\.7 tcp dport 8443 .*accept/)
})
