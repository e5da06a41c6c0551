// Hostile texts in every place of a spec at once, and what the real readers of every target make of the files.
import { mkdirSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { compile } from '../../compiler/compile.ts'
import type { OutputFile } from '../../compiler/emit/output.ts'
import { TARGET_NAMES, type Target } from '../../schemas/words/targets.ts'
import { throwAwayCertificate } from '../support/certificate.ts'
import { isLong, sampled } from '../support/effort.ts'
import { harmlessSpec, WAYS, type Way } from '../support/harmless-spec.ts'
import { attacks } from '../support/injection.ts'
import { hasProgram } from '../support/programs.ts'
import { stringKeys, writtenIn } from '../support/spec-strings.ts'
import { nested, type Reader, targetReaders } from '../support/target-readers.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

const directory = temporaryDirectory()
afterAll(directory.remove)
const certificates = directory.file('certificates')
beforeAll(() => {
  mkdirSync(certificates)
  if (hasProgram('openssl')) throwAwayCertificate(certificates, ['localhost'])
})

const READERS = targetReaders(directory, certificates)

/** Files that are read back, by the readers above and by test/lab/injection.test.ts. */
const READ = [/^(?:quadlet|systemd)\//, ...READERS.map(({ target, file }) => new RegExp(`^${target}/.*${file.source}`))]

const ROUNDS = sampled(2, 24)

/** What stands there is part of the file, and no text in it. */
const OBJECTS = ['gate.managed.claude_code']

const textOf = (files: readonly OutputFile[], { target, file }: Reader): string | undefined =>
  files.find(({ path }) => path.startsWith(`${target}/`) && file.test(path))?.text

for (const [turn, reader] of READERS.entries()) {
  const { target, file, needs, read, isUnordered = false } = reader
  const title = `${target} ${file.source}: every text is read back as it is, with no key more or less, or it is refused`
  // a spec has nginx or Caddy, so one of them has no file
  const all = WAYS.filter((way) => textOf(harmlessFiles(way, target), reader) !== undefined)
  const ways = isLong ? all : all.filter((_, i) => i === turn % all.length)
  test.skipIf(!needs.every(hasProgram)).each(ways)(
    `${title} (secrets by %s; needs ${needs.join(', ') || 'nothing'})`,
    (way) => {
      const made = [
        ...attacks(way, { targets: [target] }, { folder: certificates, rounds: ROUNDS, seed: 11, keep: OBJECTS }),
      ]
      const texts = [harmlessFiles(way, target), ...made.map(({ compiled }) => compiled.files)].map(
        (files) => textOf(files, reader) ?? expect.unreachable('the file is made'),
      )
      const [harmless, ...hostile] = read(texts).map(nested)
      const ordered = isUnordered ? inAnyOrder : (tree: unknown) => tree
      for (const [i, { expected }] of made.entries())
        expect(ordered(hostile[i])).toEqual(ordered(nested(expected(harmless))))
    },
  )
}

test('every place of the spec is in one of the attacks', () => {
  const written = new Set(WAYS.flatMap((way) => writtenIn(harmlessSpec(way)).map(({ key }) => key)))
  const missing = stringKeys().filter(({ key, isNumber }) => !isNumber && !written.has(key))
  expect(missing.map(({ key }) => key)).toEqual([])
})

test('every target has a reader here or on Debian 13', () => {
  const here = new Set(READERS.map(({ target }) => target))
  expect(TARGET_NAMES.filter((target) => !here.has(target))).toEqual(['nix', 'quadlet', 'systemd'])
})

/** Places that take more than names, addresses, images and the like. */
const ANY_TEXT = [
  '$schema',
  'alerts.<name>.secret.file',
  'alerts.<name>.token.file',
  'alerts.<name>.url.file',
  'backends.<name>.api_key.file',
  'backends.<name>.args[]',
  'backends.<name>.config_files[].path',
  'backends.<name>.config_files[].source',
  'backends.<name>.config_files[].text',
  'backends.<name>.environment.<name>=',
  'backends.<name>.health.command[]',
  'backends.<name>.hub.token.file',
  'backends.<name>.image_archive',
  'backends.<name>.mounts[].path',
  'backends.<name>.mounts[].source',
  'backends.<name>.router.presets',
  'backends.<name>.secrets.<name>.file',
  'backends.<name>.volumes[].path',
  'categories.<name>',
  'categories.<name>.description',
  'client.ca',
  'gate.auth.jwt.issuer',
  'gate.auth.jwt.secret.file',
  'gate.auth.oidc.<name>.claim',
  'gate.auth.oidc.<name>.client_id',
  'gate.auth.oidc.<name>.client_secret.file',
  'gate.auth.oidc.<name>.issuer',
  'gate.auth.oidc.<name>.roles[].group',
  'gate.auth.password_hash.file',
  'gate.auth.proxy.roles[].group',
  'gate.auth.token.file',
  'gate.auth.username',
  'gate.managed.claude_code',
  'gate.secrets.encryption_key.file',
  'gate.secrets.previous_key.file',
  'gate.server.allowed_hosts[]',
  'gate.telemetry.endpoint',
  'gate.telemetry.headers.file',
  'gate.tls.acme.ca',
  'gate.tls.acme.directory',
  'gate.tls.acme.dns.api',
  'gate.tls.acme.dns.api_token.file',
  'gate.tls.acme.dns.key_secret.file',
  'gate.tls.acme.eab_hmac.file',
  'gate.tls.acme.eab_kid',
  'gate.tls.alarm_webhook.file',
  'gate.tls.files.cert',
  'gate.tls.files.key',
  'gate.usage.keep_text.keys[]',
  'gate.usage.keep_text.models[]',
  'models.<name>',
  'models.<name>.category',
  'models.<name>.parameters[].json',
  'models.<name>.system_prefix',
  'models.<name>.targets[].alias',
  'models.<name>.targets[].base_url',
  'models.<name>.targets[].model',
  'models.<name>.targets[].parameters[].json',
  'models.<name>.targets[].system_prefix',
  'relay.backends[].address',
  'relay.ca',
  'relay.ct_log',
  'relay.invite.file',
  'relays.<name>.dns.api_token.file',
  'relays.<name>.dns.rfc2136.secret.file',
  'relays.<name>.registry.ca_file',
  'relays.<name>.registry.cert_file',
  'relays.<name>.registry.endpoints[]',
  'relays.<name>.registry.key_file',
  'relays.<name>.registry.password.file',
  'relays.<name>.registry.path',
  'relays.<name>.registry.user',
  'relays.<name>.tls.acme.ca_file',
  'relays.<name>.tls.acme.directory',
  'relays.<name>.tls.cert_file',
  'relays.<name>.tls.key_file',
  'upstreams.<name>.api_key.file',
  'upstreams.<name>.base_url',
  'upstreams.<name>.models[]',
  'upstreams.<name>.parameters[].json',
  'upstreams.<name>.prices[].model',
  'upstreams.<name>.socket',
  'upstreams.<name>.system_prefix',
]

/**
 * Places of which the files need not say anything: for editors only, not built yet, or without a meaning for systemd.
 */
const NOWHERE =
  /^\$schema$|^gate\.auth\.oidc|^gate\.network\.resolvers|^budgets|\.(?:group|together)$|^sandbox|image_archive|\.files\.<name>=?$|(?:secrets\.<name>|api_token|hub\.token|registry\.password|rfc2136\.secret)\.env$/

test('what every place says is in a file that is read back, or in none', () => {
  const silent = WAYS.map((way) => {
    const files = harmlessFiles(way, ...TARGET_NAMES)
    return new Map(writtenIn(harmlessSpec(way, certificates)).map(({ key, text }) => [key, isIn(files, text)]))
  })
  const keys = stringKeys().flatMap(({ key, isNumber }) => (isNumber ? [] : [key]))
  const unread = keys.filter((key) => !silent.some((places) => places.get(key) === true))
  expect(unread.filter((key) => !NOWHERE.test(key))).toEqual([])
})

const isIn = (files: readonly OutputFile[], text: string): boolean =>
  files.some(({ text: all, path }) => {
    const isThere = all.includes(text) || all.includes(JSON.stringify(text).slice(1, -1))
    return isThere && READ.some((pattern) => pattern.test(path))
  })

test('hostile texts get through where the spec takes any text, and nowhere else', () => {
  const through = new Set<string>()
  const changed = new Set<string>()
  for (const way of WAYS)
    for (const { accepted } of attacks(
      way,
      { targets: [] },
      { rounds: sampled(40, 150), seed: 5, folder: certificates },
    ))
      for (const [key, text] of accepted) {
        changed.add(key)
        if (/["'\\;$%{}#]/.test(text)) through.add(key)
      }
  const never = stringKeys().filter(({ key, isNumber }) => !isNumber && !changed.has(key))
  expect(never.map(({ key }) => key)).toEqual([])
  expect([...through].sort()).toEqual(ANY_TEXT)
})

function harmlessFiles(way: Way, ...targets: readonly Target[]): readonly OutputFile[] {
  const result = compile(JSON.stringify(harmlessSpec(way, certificates)), { targets })
  return result.kind === 'compiled' ? result.files : expect.unreachable(JSON.stringify(result.diagnostics))
}

function inAnyOrder(tree: unknown): unknown {
  if (Array.isArray(tree))
    return tree.map(inAnyOrder).toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
  if (typeof tree !== 'object' || tree === null) return tree
  return Object.fromEntries(
    Object.entries(tree)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, inAnyOrder(inner)]),
  )
}
