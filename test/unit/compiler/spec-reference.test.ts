import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const page = readFileSync(join(import.meta.dirname, '../../../docs/spec-reference.md'), 'utf8')
const filesOf = (key: string): string =>
  page
    .split('\n')
    .find((line) => line.startsWith(`| \`${key}\``))
    ?.split(' | ')
    .at(-1) ?? ''

test.each([
  ['backends.<name>.memory', 'quadlet/*.container', 'systemd/*.service'],
  ['gate.server.host', 'systemd/*.socket', 'quadlet/*.container'],
  ['gate.server.max_connections', 'declared/*.json', 'nftables/*.nft'],
  ['proxy.aliases', 'dnsmasq/*.conf', 'quadlet/*.container'],
  ['relays.<name>.bind_address', 'systemd/*.conf', 'compose/*.yaml'],
  ['upstreams.<name>.base_url', 'fly/*.json', 'nginx/*.conf'],
])('the reference says that %s influences %s and not %s', (key, kind, other) => {
  expect(filesOf(key)).toContain(`\`${kind}\``)
  expect(filesOf(key)).not.toContain(`\`${other}\``)
})
