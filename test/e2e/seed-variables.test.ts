// The real daemon with the variables of a seed: certificates, the address, and where redirects lead.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { request as requestPlain } from 'node:http'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { throwAwayCertificate } from '../support/certificate.ts'
import { runDaemonToEnd, startDaemon } from '../support/daemon.ts'
import { someOf } from '../support/effort.ts'
import { hasProgram } from '../support/programs.ts'

const folder = mkdtempSync(join(tmpdir(), 'gate-seed-'))
afterAll(() => rmSync(folder, { recursive: true }))
const NAME = 'ai.example.org'

type Answer = { readonly status: number | undefined; readonly location: string | undefined }

/** Asks at a URL of the loopback as a client that looked the name up. */
function ask(url: string, ca: string): Promise<Answer> {
  const { protocol, port } = new URL(url)
  const options = { host: '127.0.0.1', port, path: '/health', headers: { host: NAME }, servername: NAME, ca }
  return new Promise((resolve, reject) => {
    const sent = (protocol === 'https:' ? request : requestPlain)(options, (response) => {
      response.resume()
      response.on('end', () => resolve({ status: response.statusCode, location: response.headers.location }))
    })
    sent.on('error', reject)
    sent.end()
  })
}

test.skipIf(!hasProgram('openssl')).each(someOf(['', 'GATE_'], 2))(
  'TLS_CERT_PATH, TLS_KEY_PATH, LISTEN_ADDR and EXTERNAL_URL with "%s" before (needs openssl)',
  async (prefix) => {
    const { cert, key } = throwAwayCertificate(folder, [NAME])
    const gate = await startDaemon({
      [`${prefix}TLS_CERT_PATH`]: cert,
      [`${prefix}TLS_KEY_PATH`]: key,
      [`${prefix}LISTEN_ADDR`]: '127.0.0.1:0',
      [`${prefix}EXTERNAL_URL`]: `https://${NAME}`,
      GATE_TLS__HTTP_PORT: '0',
    })
    try {
      const urls = [...gate.output().matchAll(/"message":"listening","url":"([^"]+)"/g)].map(([, url = '']) => url)
      const [plain = '', https = '', http = ''] = urls
      const ca = readFileSync(cert, 'utf8')
      expect(await ask(https, ca)).toEqual({ status: 200, location: undefined })
      expect(await ask(http, ca)).toEqual({ status: 308, location: `https://${NAME}/health` })
      expect((await fetch(`${plain}/health`)).status).toBe(200)
    } finally {
      await gate.stop()
      gate.remove()
    }
  },
)

test('two that differ stop the start, by name', async () => {
  const { code, output } = await runDaemonToEnd(
    { LISTEN_ADDR: '127.0.0.1:4000', GATE_LISTEN_ADDR: '127.0.0.1:4001' },
    join(folder, 'state'),
  )
  expect(code).not.toBe(0)
  expect(output).toContain('GATE_LISTEN_ADDR: server.port is also set by LISTEN_ADDR; keep only one of them')
})
