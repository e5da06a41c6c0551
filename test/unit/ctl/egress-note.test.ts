import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { compile } from '../../../compiler/compile.ts'
import { egressNote } from '../../../ctl/commands/config/egress-note.ts'

const root = `${mkdtempSync(join(tmpdir(), 'gate-egress-'))}/`
afterAll(() => rmSync(root, { recursive: true }))

const spec = { upstreams: { lan: { provider: 'custom', base_url: 'http://192.168.1.20:8000/v1' } } }
const made = compile(JSON.stringify(spec), { targets: ['nftables'] })
const rules = made.kind === 'refused' ? undefined : made.files.find(({ path }) => path === 'nftables/egress.nft')
for (const folder of ['run/gate', 'run/other', 'etc/gate']) mkdirSync(join(root, folder), { recursive: true })
for (const file of ['run/gate/admin.sock', 'run/other/admin.sock']) writeFileSync(join(root, file), '')
writeFileSync(join(root, 'etc/gate/egress.nft'), rules?.text ?? '')
const SOCKETS = ['none/admin.sock', 'run/gate/admin.sock', 'run/other/admin.sock'].map((path) => join(root, path))

test.each([
  { key: 'upstreams.x.base_url', value: 'http://192.168.1.20:8000/v1', says: undefined },
  {
    key: 'upstreams.x.base_url',
    value: 'http://192.168.1.20:8001/v1',
    says: /192\.168\.1\.20:8001.*gate\.network\.allow/,
  },
  { key: 'upstreams.x.base_url', value: 'https://api.example.org/v1', says: /api\.example\.org.*gatectl apply/ },
  { key: 'upstreams.openai.provider', value: 'openai', says: /api\.openai\.com/ },
  { key: 'log.level', value: 'http://192.168.1.21', says: undefined },
  { key: 'upstreams.x.base_url', value: 'not a url', says: undefined },
])('$key = $value: $says', ({ key, value, says }) => {
  const note = egressNote(key, value, SOCKETS, root)
  if (says === undefined) expect(note).toBeUndefined()
  else expect(note).toMatch(says)
})

test('a daemon that no spec deployed has no rules', () => {
  expect(egressNote('upstreams.x.base_url', 'http://192.0.2.1', SOCKETS.slice(2), root)).toBeUndefined()
})
