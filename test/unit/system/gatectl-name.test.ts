import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { welcome } from '../../../daemon/process/welcome.ts'
import { gatectlName } from '../../../system/gatectl-name.ts'

const root = join(import.meta.dirname, '../../..')

test('C6 in a clone gatectl is a script of package.json, installed it is a program', () => {
  expect(gatectlName('/usr/lib/gate/dist/system/gatectl-name.js')).toBe('gatectl')
  const [, script = ''] = /^npm run -s (\w+) --$/.exec(gatectlName()) ?? []
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  expect(scripts[script]).toContain('bin/gatectl.ts')
})

test('in a clone gate-relay is a script of package.json, as docs/relay.md says', () => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  expect(scripts.relay).toContain('bin/gate-relay.ts')
  expect(readFileSync(join(root, 'docs/relay.md'), 'utf8')).toContain('`npm run -s relay --`')
})

test.each(['README.md', 'docs/gatectl.md'])('C6 %s says so', (page) => {
  expect(readFileSync(join(root, page), 'utf8')).toContain(`\`${gatectlName()}\``)
})

test.each(['gatectl', 'npm run -s gatectl --'])('C6 the start text names what works there: %s', (gatectl) => {
  const start = {
    urls: ['http://127.0.0.1:1'],
    external: undefined,
    key: null,
    hasKey: true,
    isOpen: false,
    isJournal: false,
    gatectl,
  } as const
  const text = welcome({ ...start, closed: undefined, example: { path: '/x', body: '{}' } })
  expect(text).toContain(`${gatectl} token create\n`)
  expect(text).toContain(`${gatectl} status\n`)
})

test('without a key the start text says how to make one, also in a container', () => {
  const start = {
    urls: ['http://127.0.0.1:1'],
    external: undefined,
    key: null,
    isOpen: false,
    isJournal: false,
    gatectl: 'gatectl',
  } as const
  const text = welcome({ ...start, hasKey: false, closed: undefined, example: { path: '/x', body: '{}' } })
  expect(text).toContain('There is no key yet.')
  expect(text).toContain('podman exec NAME gatectl token create')
  expect(text).not.toContain('a key you have')
})

test('the start text shows where clients reach the gateway, where that is known', () => {
  const start = { urls: ['http://127.0.0.1:1'], key: null, hasKey: true, isOpen: true, isJournal: false } as const
  const example = { path: '/x', body: '{}' }
  const external = 'https://ai.example.org'
  const text = welcome({ ...start, external, gatectl: 'gatectl', closed: undefined, example })
  expect(text).toMatch(/^\nGate listens on http:\/\/127.0.0.1:1\nClients use https:\/\/ai.example.org\n/)
  expect(text).toContain('curl https://ai.example.org/x \\')
})

test('the start text names every listener', () => {
  const start = {
    key: null,
    hasKey: true,
    isOpen: true,
    isJournal: false,
    external: undefined,
    gatectl: 'gatectl',
  } as const
  const urls = ['http://127.0.0.1:3000', 'https://0.0.0.0:443']
  const text = welcome({ ...start, urls, closed: undefined, example: { path: '/x', body: '{}' } })
  expect(text).toMatch(/^\nGate listens on http:\/\/127.0.0.1:3000 and https:\/\/0.0.0.0:443\n/)
  expect(text).toContain('curl http://127.0.0.1:3000/x \\')
  expect(welcome({ ...start, urls, closed: 'x', example: { path: '/x', body: '{}' } })).toContain(
    'https://0.0.0.0:443\n',
  )
})
