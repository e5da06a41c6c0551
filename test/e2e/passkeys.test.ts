import { createServer } from 'node:net'
import { chromium } from 'playwright-core'
import { expect, test } from 'vitest'
import { createHasher } from '../../daemon/auth/password/hasher.ts'
import { startDaemon } from '../support/daemon.ts'
import { hasProgram } from '../support/programs.ts'

/** The host that passkeys are for has to be known before the gateway listens. */
async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' && address !== null ? address.port : 0
}

test.skipIf(!hasProgram('chromium'))(
  'chromium makes a passkey, signs in with it, and with no copy of an answer (needs chromium)',
  async () => {
    const port = await freePort()
    const at = `http://localhost:${port}`
    const daemon = await startDaemon({
      GATE_SERVER__PORT: String(port),
      GATE_SERVER__EXTERNAL_URL: at,
      GATE_AUTH__MODE: 'token,password',
      GATE_AUTH__PASSWORD_HASH: await createHasher().hash('correct horse battery'),
    })
    const browser = await chromium.launch({
      executablePath: '/usr/bin/chromium',
      args: ['--no-sandbox', '--disable-gpu'],
    })
    try {
      const page = await browser.newPage()
      const refused: string[] = []
      page.on('console', (message) => void (message.type() === 'error' && refused.push(message.text())))
      const devtools = await page.context().newCDPSession(page)
      await devtools.send('WebAuthn.enable')
      await devtools.send('WebAuthn.addVirtualAuthenticator', {
        options: {
          protocol: 'ctap2',
          transport: 'internal',
          hasResidentKey: true,
          hasUserVerification: true,
          isUserVerified: true,
          automaticPresenceSimulation: true,
        },
      })
      await page.goto(`${at}/login?return_to=/passkeys`)
      await page.fill('input[name=username]', 'admin')
      await page.fill('input[name=password]', 'correct horse battery')
      await page.click('form button')
      await page.waitForURL(`${at}/passkeys`)
      await page.fill('#passkey-name', 'laptop')
      await page.click('#passkey-add')
      await page.waitForSelector('li:has-text("laptop")')

      await page.goto(`${at}/logout`)
      await page.click('form button')
      expect((await page.context().cookies()).map(({ name }) => name)).toEqual([])

      await page.goto(`${at}/login?return_to=/passkeys`)
      const used = page.waitForRequest((request) => request.url() === `${at}/auth/passkey`)
      await page.click('#passkey-login')
      const copy = (await used).postData() ?? ''
      await page.waitForURL(`${at}/passkeys`)
      const me = await page.evaluate(async () => (await fetch('/auth/me')).json())
      expect(me).toMatchObject({ name: 'admin', via: 'passkey' })

      const headers = { 'content-type': 'application/json', 'sec-fetch-site': 'same-origin' }
      const again = await fetch(`${at}/auth/passkey`, { method: 'POST', headers, body: copy })
      expect(again.status).toBe(401)
      expect(refused).toEqual([])
    } finally {
      await browser.close()
      await daemon.stop()
      daemon.remove()
    }
  },
)
