import { type IncomingMessage, request } from 'node:http'
import { json } from 'node:stream/consumers'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { AdminCertificates } from '../../../../daemon/admin/routes/tls.ts'
import { adminProblem } from '../../../../schemas/admin.ts'
import type { CertificateStatus, TlsStatus } from '../../../../schemas/admin-tls.ts'
import { API_ANSWERS } from '../../../../schemas/api/answers.ts'
import { startAdminDaemon } from '../../../support/admin-daemon.ts'
import { CERTIFICATE, TLS } from '../../../support/tls-status.ts'

/** What a renewal does. */
let work: AdminCertificates['renew']
let shown: TlsStatus
let daemon: Awaited<ReturnType<typeof startAdminDaemon>>

beforeEach(async () => {
  work = () => Promise.resolve()
  shown = TLS
  const certificates: AdminCertificates = { status: () => shown, renew: (name, signal) => work(name, signal) }
  daemon = await startAdminDaemon(undefined, undefined, {}, certificates)
})
afterEach(() => daemon.stop())

async function ask(method: string, path: string) {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    request({ socketPath: daemon.socketPath, method, path, agent: false }, resolve).once('error', reject).end()
  })
  return { status: response.statusCode, answer: await json(response) }
}

test('shows the certificates in their shape', async () => {
  const { status, answer } = await ask('GET', '/v1/tls')
  expect(status).toBe(200)
  expect(API_ANSWERS['GET /api/admin/tls'].parse(answer)).toEqual(TLS)
})

test.each(['ai.example.org', 'AI.Example.ORG'])('renews %s, and shows what is served then', async (name) => {
  const renewed = vi.fn(() => Promise.resolve())
  work = renewed
  const { status, answer } = await ask('POST', `/v1/tls/renew/${name}`)
  expect(status).toBe(200)
  expect(renewed).toHaveBeenCalledExactlyOnceWith('ai.example.org', expect.any(AbortSignal))
  expect(API_ANSWERS['POST /api/admin/tls/{name}/renew'].parse(answer)).toEqual(CERTIFICATE)
})

test.each([
  {
    name: 'another name',
    path: '/v1/tls/renew/ai.example.com',
    error: new RangeError('no'),
    code: 'CERTIFICATE_NOT_FOUND',
  },
  { name: 'a failure', path: '/v1/tls/renew/ai.example.org', error: new Error('no A record'), code: 'RENEWAL_FAILED' },
  {
    name: 'a certificate that is no longer configured afterwards',
    path: '/v1/tls/renew/gone.example.org',
    error: undefined,
    code: 'CERTIFICATE_NOT_FOUND',
  },
])('says why there is no new certificate: $name', async ({ path, error, code }) => {
  work = () => (error === undefined ? Promise.resolve() : Promise.reject(error))
  const { answer } = await ask('POST', path)
  expect(adminProblem.parse(answer).code).toBe(code)
})

test('names the certificate that was probably meant, and the reason of a failure', async () => {
  work = () => Promise.reject(new RangeError('no'))
  expect(JSON.stringify((await ask('POST', '/v1/tls/renew/ai.exampel.org')).answer)).toContain(
    'did you mean \\"ai.example.org\\"?',
  )
  work = () => Promise.reject(new Error('no A record'))
  expect(adminProblem.parse((await ask('POST', '/v1/tls/renew/ai.example.org')).answer).detail).toBe(
    'ai.example.org: no A record',
  )
  const failed = daemon.logs.recent(9).find(({ message }) => message === 'admin request failed')
  expect(failed).toMatchObject({ error: 'ai.example.org: no A record' }) // without a stack
})

const { served: _served, ...unserved } = CERTIFICATE
test.each<{ certificate: CertificateStatus; hint: string }>([
  {
    certificate: CERTIFICATE,
    hint: 'the certificate before is still served; gatectl doctor looks at DNS, ports, CAA and the clock',
  },
  {
    certificate: unserved,
    hint: 'there is no certificate, so clients are refused; gatectl doctor looks at DNS, ports, CAA and the clock',
  },
  {
    certificate: { ...unserved, source: 'files' },
    hint: 'there is no certificate, so clients are refused; put a certificate and its key where tls.files says',
  },
])('a failure says what is served now, and what to do: $hint', async ({ certificate, hint }) => {
  shown = { certificates: [certificate] }
  work = () => Promise.reject(new Error('no A record'))
  expect(adminProblem.parse((await ask('POST', '/v1/tls/renew/ai.example.org')).answer).hint).toBe(hint)
})

test('a caller who leaves stops the renewal', async () => {
  const stopped = Promise.withResolvers<void>()
  const started = Promise.withResolvers<void>()
  work = (_, signal) => {
    started.resolve()
    return new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => {
        stopped.resolve()
        reject(signal.reason)
      })
    })
  }
  const sent = request({
    socketPath: daemon.socketPath,
    method: 'POST',
    path: '/v1/tls/renew/ai.example.org',
    agent: false,
  })
  sent.once('error', () => {})
  sent.end()
  await started.promise
  sent.destroy()
  await stopped.promise
  expect((await ask('GET', '/v1/tls')).status).toBe(200)
})
