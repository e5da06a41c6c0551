import { chromium } from 'playwright-core'
import { expect, test } from 'vitest'
import { startDaemon } from '../support/daemon.ts'
import { CLIENT_ID, CLIENT_SECRET, startIdentityProvider } from '../support/identity-providers.ts'
import { hasProgram } from '../support/programs.ts'

test.skipIf(!hasProgram('chromium'))(
  'chromium signs in at a real provider, and is sent to where it wanted to go',
  async () => {
    const daemon = await startDaemon({ GATE_AUTH__MODE: 'token,oidc' })
    const op = await startIdentityProvider([`${daemon.url}/auth/callback`])
    const browser = await chromium.launch({
      executablePath: '/usr/bin/chromium',
      args: ['--no-sandbox', '--disable-gpu'],
    })
    try {
      const idp = {
        name: 'One',
        issuer: op.issuer,
        client_id: CLIENT_ID,
        client_secret: CLIENT_SECRET,
        scopes: 'openid profile',
      }
      const headers = { authorization: `Bearer ${daemon.key}`, 'content-type': 'application/json' }
      await fetch(`${daemon.url}/api/admin/idps`, { method: 'POST', headers, body: JSON.stringify(idp) })
      const page = await browser.newPage()
      const list = await (await fetch(`${daemon.url}/auth/providers`)).json()
      const {
        providers: [provider],
      } = list as { providers: { url: string }[] }
      await page.goto(`${daemon.url}${provider?.url}&return_to=/health`)
      await page.fill('input[name=login]', 'mara')
      await page.fill('input[name=password]', 'any')
      await page.click('button[type=submit]')
      await page.click('button[type=submit]') // that Gate may know who it is
      await page.waitForURL(`${daemon.url}/health`)
      const cookies = await page.context().cookies(daemon.url)
      const own = cookies.filter(({ name }) => name.startsWith('se_')) // the provider is on the same host
      expect(own).toMatchObject([{ name: 'se_session', httpOnly: true, sameSite: 'Lax', path: '/' }])
      const idps = await page.goto(`${daemon.url}/api/admin/idps`)
      expect(idps?.status()).toBe(200) // the first one is an administrator
    } finally {
      await browser.close()
      await Promise.all([daemon.stop(), op.stop()])
      daemon.remove()
    }
  },
)
