import { expect, test } from 'vitest'
import type { Host } from '../deploy.ts'

/** What an account of the host without any group tries. */
export function loginAttacks(host: () => Host): void {
  test("does not reach the API of Caddy, which hands out the CA's key and takes any configuration", async () => {
    const listening = await host().run(['ss', '--listening', '--tcp', '--numeric', '--no-header'])
    expect(listening).toMatch(/:443 /)
    expect(listening).not.toMatch(/:2019 /)
    for (const user of ['login', 'gate', 'gate-own']) {
      const curl = ['curl', '-sS', '--max-time', '5', '--unix-socket', '/run/caddy/admin.sock', 'http://x/config/']
      expect(await host().exec(curl, { user })).toMatchObject({ code: 7, stdout: '' })
    }
  })
}
