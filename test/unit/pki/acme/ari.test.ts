import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { askRenewalInfo, certificateId } from '../../../../pki/acme/ari.ts'
import type { Answered } from '../../../../pki/acme/request.ts'
import { hasProgram, run } from '../../../support/programs.ts'
import { temporaryDirectory } from '../../../support/temporary-directory.ts'

const NOW = Date.parse('2026-11-30T12:00:00Z')
const CA = { directory: 'https://ca.example/dir', ca: undefined }
/** The key identifier, serial number and result of RFC 9773 section 4.1. */
const KEY_ID = '69:88:5B:6B:87:46:40:41:E1:B3:7B:84:7B:A0:AE:2C:DE:01:C8:D4'
const ID = 'aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE'

describe.skipIf(!hasProgram('openssl'))('renewal information (needs openssl)', () => {
  let place: ReturnType<typeof temporaryDirectory>
  let certificate = ''
  const make = (extensions: readonly string[]) => {
    const out = join(place.path, 'cert.pem')
    const curve = [
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-keyout',
      join(place.path, 'key.pem'),
    ]
    run('openssl', [
      'req',
      '-x509',
      ...curve,
      '-subj',
      '/CN=a',
      '-set_serial',
      '0x87654321',
      ...extensions,
      '-out',
      out,
    ])
    return readFileSync(out, 'utf8')
  }
  beforeAll(() => {
    place = temporaryDirectory()
    certificate = make(['-addext', `subjectKeyIdentifier=${KEY_ID}`, '-addext', 'authorityKeyIdentifier=keyid:always'])
  })
  afterAll(() => place.remove())

  test('the certificate of the RFC has the id of the RFC', () => {
    expect(certificateId(certificate)).toBe(ID)
  })

  test('one without its authority has none', () => {
    expect(
      certificateId(make(['-addext', 'authorityKeyIdentifier=none', '-addext', 'subjectKeyIdentifier=none'])),
    ).toBeUndefined()
  })

  /** A CA whose answers are in a table. */
  const ask = (answers: Readonly<Record<string, Partial<Answered>>>) =>
    askRenewalInfo(
      CA,
      certificate,
      async ({ url }) => ({ status: 200, headers: {}, text: '', ...answers[url] }),
      () => NOW,
      new AbortController().signal,
    )
  const directory = { [CA.directory]: { text: JSON.stringify({ renewalInfo: 'https://ca.example/ari' }) } }
  const info = (content: unknown, headers = {}) => ({
    ...directory,
    [`https://ca.example/ari/${ID}`]: { text: JSON.stringify(content), headers },
  })
  const window = { start: '2026-12-10T00:00:00Z', end: '2026-12-12T00:00:00Z' }

  test.each([
    { name: 'without Retry-After', headers: {}, againMs: 6 * 3_600_000 },
    { name: 'with one', headers: { 'retry-after': '7200' }, againMs: 7_200_000 },
    { name: 'with one that is too short', headers: { 'retry-after': '0' }, againMs: 60_000 },
    { name: 'with one that is too long', headers: { 'retry-after': '99999999' }, againMs: 86_400_000 },
  ])('is read $name', async ({ headers, againMs }) => {
    const content = { suggestedWindow: window, explanationURL: 'https://ca.example/why' }
    expect(await ask(info(content, headers))).toEqual({
      window: { startMs: Date.parse(window.start), endMs: Date.parse(window.end) },
      explanation: 'https://ca.example/why',
      againMs,
    })
  })

  test('a CA that has none is not asked', async () => {
    expect(await ask({ [CA.directory]: { text: '{}' } })).toBeUndefined()
  })

  test.each([
    { name: 'no window', content: {} },
    { name: 'an end before the start', content: { suggestedWindow: { start: window.end, end: window.start } } },
    { name: 'times that are none', content: { suggestedWindow: { start: 'soon', end: 5 } } },
    { name: 'no object', content: 'x' },
  ])('an answer with $name is refused', async ({ content }) => {
    await expect(ask(info(content))).rejects.toThrow(/the CA/)
  })

  test('an error of the CA is one', async () => {
    await expect(ask({ ...directory, [`https://ca.example/ari/${ID}`]: { status: 404 } })).rejects.toThrow('status 404')
  })
})
