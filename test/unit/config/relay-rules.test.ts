import { expect, test } from 'vitest'
import { ConfigError } from '../../../config/problems.ts'
import { configSchema } from '../../../schemas/config/config.ts'
import { keyTree, leaves } from '../../../schemas/config/keys.ts'
import { relayConfigSchema } from '../../../schemas/relay-config.ts'
import { issueWords } from '../../../schemas/words/issue.ts'
import type { Tree } from '../../../syntax/tree.ts'
import { configPlace } from '../../support/config-place.ts'

function refusalOf(relay: Tree): string {
  try {
    configPlace({ declared: { relay } }).open()
    return ''
  } catch (error) {
    if (error instanceof ConfigError) return error.message
    throw error
  }
}

const backend = (...names: readonly string[]) => ({ names, address: '127.0.0.1:8443' })

test.each<{ name: string; relay: Tree; says: RegExp }>([
  {
    name: 'a name for each server',
    relay: { backends: [backend('a.example.net'), backend('b.example.net')] },
    says: /^$/,
  },
  {
    name: 'one name for two servers',
    relay: { backends: [backend('a.example.net'), backend('b.example.net', 'a.example.net')] },
    says: /relay\.backends has "a\.example\.net", which is relayed to another place too.*; keep it where/,
  },
  {
    name: 'one name twice for one server',
    relay: { backends: [backend('a.example.net', 'a.example.net')] },
    says: /relay\.backends has "a\.example\.net"/,
  },
  {
    name: 'one name for a server and the gateway',
    relay: { names: ['a.example.net'], backends: [backend('a.example.net')] },
    says: /relay\.backends has "a\.example\.net"/,
  },
  {
    name: 'one name twice for the gateway',
    relay: { names: ['a.example.net', 'a.example.net'] },
    says: /relay\.names has/,
  },
  {
    name: 'a host name where a label is wanted',
    relay: { custom_domain: 'me.example.org' },
    says: /relay\.custom_domain is not valid; write one label such as "myserver": lower-case letters, digits and hyphens/,
  },
])('relays with $name', ({ relay, says }) => {
  expect(refusalOf(relay)).toMatch(says)
})

test.each([
  { of: 'the daemon', schema: configSchema },
  { of: 'a relay', schema: relayConfigSchema },
])('every key of $of says what a text that does not fit has to look like', ({ schema }) => {
  const silent = [...leaves(keyTree(schema))].filter(([, node]) => {
    const [issue] = node.schema.safeParse('\0').error?.issues ?? []
    const words = issue && issueWords(issue, '\0', 'toml')
    return words?.kind === 'invalid' && words.reason.startsWith('does not')
  })
  expect(silent.map(([path]) => path.join('.'))).toEqual([])
})

test('a file is called a file where its path is what is written', () => {
  const all = [configSchema, relayConfigSchema].flatMap((schema) => [...leaves(keyTree(schema))])
  const called = all.filter(([, { meta }]) => /\bPEM\b/.test(meta.description ?? ''))
  expect(called.length).toBeGreaterThan(5)
  expect(called.map(([path, { meta }]) => [path.join('.'), meta.description])).toEqual(
    called.map(([path]) => [path.join('.'), expect.stringContaining('PEM file')]),
  )
})
