import { expect, test } from 'vitest'
import type { Host } from '../deploy.ts'

/** What code in the daemon tries: everything that the account `gate` can do. */
export function gateAttacks(host: () => Host): void {
  test('leads nobody elsewhere who pastes what gatectl doctor prints', async () => {
    const [link, twin, open] = ['link', 'twin', 'open$(touch pwned)'].map((name) => `gate.db-usage-${name}`)
    const plant = `cd /var/lib/gate
      ln -s /etc/shadow ${link}
      : >'${open}' && chmod 644 '${open}'
      : >own && ln own ${twin}`
    await host().run(['sh', '-c', plant], { user: 'gate' })
    const state = () => host().run(['stat', '--format=%U:%G %a', '/etc/shadow'])
    const before = await state()
    const { stdout } = await host().exec(['gatectl', 'doctor', '--json'], { timeoutMs: 60_000 })
    const fixes = JSON.parse(stdout).findings.flatMap(
      ({ check, fix }: { check: string; fix?: { command?: string } }) =>
        check === 'permissions' && fix?.command !== undefined ? [fix.command] : [],
    )
    expect(fixes).toHaveLength(2)
    for (const fix of fixes) await host().run(['sh', '-c', `cd /run && ${fix}`])
    expect(await state()).toBe(before)
    expect(await host().exec(['test', '-e', '/run/pwned'])).toMatchObject({ code: 1 })
    await host().run(['sh', '-c', 'rm -f /var/lib/gate/gate.db-usage-* /var/lib/gate/own'])
  })
}
