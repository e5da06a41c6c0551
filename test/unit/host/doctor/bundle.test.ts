import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, statSync, symlinkSync, unlinkSync } from 'node:fs'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { gatewayNames } from '../../../../compiler/ir/names.ts'
import { writeBundle } from '../../../../host/doctor/bundle.ts'
import { type BundleFacts, bundleFiles } from '../../../../host/doctor/bundle-files.ts'
import type { Subject } from '../../../../host/doctor/check.ts'
import { assignedValues } from '../../../../host/doctor/known-secrets.ts'
import { runtimeConfigText } from '../../../../host/doctor/look.ts'
import { redactText } from '../../../../host/doctor/redact.ts'
import { temporaryDirectory } from '../../../support/temporary-directory.ts'

const NOTHING: BundleFacts = {
  page: '',
  json: '{}',
  versions: {},
  spec: undefined,
  declared: undefined,
  runtime: undefined,
  manifest: undefined,
  units: {},
  logs: {},
  secrets: [],
}
const everything = (facts: Partial<BundleFacts>) =>
  bundleFiles({ ...NOTHING, ...facts })
    .map(({ path, text }) => `${path}\n${text}`)
    .join('\n')

/** Whatever a person or a generator may take for a key; never a word that stands in the texts anyway. */
const canary = fc
  .string({ unit: fc.constantFrom(...'abcdefXYZ0189_-.+/=!$%&*#@~^'), minLength: 8, maxLength: 60 })
  .filter((text) => /[A-Z0-9]/.test(text) && !/redacted/i.test(text))
  .map((text) => `cn${text}`)

test('no known secret stands in a bundle, in whatever place it was planted', () => {
  fc.assert(
    fc.property(fc.array(canary, { minLength: 1, maxLength: 4 }), fc.string(), (secrets, noise) => {
      const planted = secrets
        .map(
          (secret) =>
            `${noise} ${secret} x${secret}y ${JSON.stringify({ a: secret })} ?q=${encodeURIComponent(secret)} ${Buffer.from(secret).toString('base64')}`,
        )
        .join('\n')
      const quoted = secrets.map((secret) => JSON.stringify(secret)).join(', ')
      const text = everything({
        page: planted,
        json: JSON.stringify({ findings: secrets }),
        versions: { podman: planted },
        spec: {
          text: `[upstreams.a]\nbase_url = "https://x/${encodeURIComponent(secrets[0] ?? '')}"\nmodels = [${quoted}]\n`,
          compiles: true,
        },
        declared: JSON.stringify({ models: Object.fromEntries(secrets.map((secret) => [secret, { targets: [] }])) }),
        runtime: `[upstreams.a]\nmodels = [${quoted}]\n`,
        manifest: planted,
        units: { '/etc/systemd/system/gate-x.service': planted, [`/etc/x/${secrets[0]}`]: '' },
        logs: { 'gate-daemon': planted },
        secrets,
      })
      for (const secret of secrets)
        for (const form of [secret, encodeURIComponent(secret), Buffer.from(secret).toString('base64')])
          expect(text).not.toContain(form)
    }),
    { numRuns: 300 },
  )
})

test('secrets that nobody knows do not stand in a bundle where secrets are written', () => {
  fc.assert(
    fc.property(canary, (secret) => {
      const word = secret.replace(/[&#]/g, '') // in a URL these end the value
      const toml = JSON.stringify(secret)
      const text = everything({
        spec: {
          text: `[upstreams.a]\napi_kye = ${toml}\n[gate.auth]\ntoken = ${toml}\n[[x]]\ny = [${toml}]\n`,
          compiles: false,
        },
        declared: JSON.stringify({
          upstreams: { a: { api_key: secret, apikey: secret, headers: { 'x-custom': secret } } },
          auth: { token: secret, jwt: { secret } },
        }),
        runtime: `[auth]\ntoken = ${toml}\nmisspelled = ${toml}\n[upstreams.a]\napi_key = ${toml}\n`,
        units: {
          '/etc/x.container': `[Container]\nEnvironment="HF_TOKEN=${secret}" A=${secret}\nEnvironment=B=1 \\\n  C=${secret}\nSetCredential=x:${secret}\nExec=serve --api-key ${secret}\n`,
        },
        logs: {
          a: [
            `Authorization: Bearer ${secret}`,
            `{"headers":{"x-api-key":${JSON.stringify(secret)}}}`,
            `password=${secret}`,
            `OPENAI_API_KEY: ${secret} and more`,
            `token ok secret: ${secret}`,
            `GET /v1/models?key=${word}&x=1`,
            `postgres://user:${encodeURIComponent(secret)}@host/db`,
            `run --client-secret ${secret} --port 1`,
          ].join('\n'),
        },
      })
      expect(text).not.toContain(secret)
      expect(text).not.toContain(word)
    }),
    { numRuns: 300 },
  )
})

test('a compiled spec shows references and names, and nothing that it passes on unread', () => {
  const spec =
    '[upstreams.a]\napi_key = { credential = "openai" }\n[backends.q]\nmodel = "Qwen/Qwen3-8B"\nargs = ["--x", "mine"]\nenvironment = { A = "mine" }\nsecrets = { HF = { file = "/etc/hf" } }\n'
  const text = everything({ spec: { text: spec, compiles: true } })
  expect(text).toContain('"credential": "openai"')
  expect(text).toContain('"model": "Qwen/Qwen3-8B"')
  expect(text).toContain('"file": "/etc/hf"')
  expect(text).not.toContain('mine')
})

test('a document that cannot be parsed is left out whole', () => {
  expect(everything({ runtime: 'token = "cn-secret' })).not.toContain('cn-secret')
})

test.each([
  {
    text: 'a pull of example.org/x@sha256:2eb2d84317d6274cb5075cf849e71d90db4f756a3a19d39f261f9705f4749dce',
    kept: true,
  },
  { text: '/var/lib/gate-backends/qwen/.local/share/containers/storage', kept: true },
  { text: 'gate-qwen.service: Main process exited, code=exited, status=1/FAILURE', kept: true },
  { text: '2026-11-20T12:00:00.000Z request 0b6b0f4e-5c39-4a63-9d6f-8a7c2f7c9a10 took 12 ms', kept: true },
  { text: 'sk-proj-0123456789', kept: false },
  { text: 'gate_Kpfe2sb5hqhAkj3Uj9UUJbXQpHV2y0KgGTQxixGdtbU', kept: false },
  { text: 'QmFzZTY0RW5jb2RlZFNlY3JldDEyMw==', kept: false },
])('keeps what a bug report is for, takes out what looks like a key: $text', ({ text, kept }) => {
  expect(redactText(text) === text).toBe(kept)
})

test('takes a private key out of a text, also one that is cut off', () => {
  const key = '-----BEGIN PRIVATE KEY-----\nMIGHAgEAM\n'
  expect(redactText(`a\n${key}-----END PRIVATE KEY-----\nb`)).toBe('a\n[redacted]\nb')
  expect(redactText(`a\n${key}`)).toBe('a\n[redacted]')
})

test('finds the values of environment files and of TOML', () => {
  const text =
    '# c\nGATE_AUTH__TOKEN=abc def\nexport B="q uoted"\nLEVEL=debug\nPORT=3000\n[auth]\ntoken = "1234"\nlevel = "info"\n'
  expect(assignedValues(text)).toEqual(['abc def', 'q uoted', '1234'])
})

const SUBJECT: Subject = {
  names: gatewayNames('nobox'),
  spec: { kind: 'none' },
  deployment: undefined,
  isApplied: true,
  isRoot: false,
  env: {},
  version: '1.0.0',
  daemon: Promise.resolve({ kind: 'silent', reason: 'nobody', hint: undefined }),
}

let place: ReturnType<typeof temporaryDirectory>
beforeEach(() => {
  place = temporaryDirectory()
  vi.stubEnv('TMPDIR', place.path)
})
afterEach(() => {
  vi.unstubAllEnvs()
  place.remove()
})

test('the archive is for its owner alone and holds the page', async () => {
  const file = place.file('a:b.tar.gz')
  await writeBundle(file, { page: 'the page', json: '{}', spec: undefined }, SUBJECT)
  expect(statSync(file).mode & 0o777).toBe(0o600)
  const args = ['-xzOf', file, '--force-local', 'gate-doctor/doctor.txt']
  expect(execFileSync('tar', args, { encoding: 'utf8' })).toBe('the page')
  expect(readdirSync(place.path)).toEqual(['a:b.tar.gz'])
})

test('a file that is there is not touched, and a failure leaves nothing behind', async () => {
  const file = place.file('a.tar.gz')
  const input = { page: '', json: '{}', spec: undefined }
  await writeBundle(file, input, SUBJECT)
  const before = readFileSync(file)
  await expect(writeBundle(file, input, SUBJECT)).rejects.toThrow('EEXIST')
  expect(readFileSync(file)).toEqual(before)
  await expect(writeBundle(place.file('no/such/x.tar.gz'), input, SUBJECT)).rejects.toThrow('ENOENT')
  vi.stubEnv('TMPDIR', '/etc/passwd') // root's, so that root takes it, too
  await expect(writeBundle(place.file('b.tar.gz'), input, SUBJECT)).rejects.toThrow('mkdtemp')
  expect(readdirSync(place.path)).toEqual(['a.tar.gz'])
})

test('the runtime configuration is read, but no link that stands in its place', () => {
  place.write('other', 'api_key = "of-somebody-else"\n')
  symlinkSync('other', place.file('config.toml'))
  expect(runtimeConfigText(place.path)).toBeUndefined()
  unlinkSync(place.file('config.toml'))
  place.write('config.toml', 'api_key = "own"\n')
  expect(runtimeConfigText(place.path)).toBe('api_key = "own"\n')
})
