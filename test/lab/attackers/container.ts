import { expect, test } from 'vitest'
import type { Host } from '../deploy.ts'

const MIB = 1024 * 1024

/** What code in the container of a backend tries: as the user of its engine, and as root inside. */
export function containerAttacks(host: () => Host): void {
  /** A shell script in the container of a backend. @param user inside; the one of the engine unless said */
  const inside = (backend: string, script: string, user?: string) => {
    const as = user === undefined ? [] : ['--user', user]
    const command = ['podman', 'exec', ...as, `gate-${backend}`, 'sh', '-c', script]
    return host().asUser(`gate-${backend}`).exec(command, { timeoutMs: 120_000 })
  }
  const served = (backend: string) => {
    const socket = `/run/gate/backends/${backend}/engine.sock`
    const curl = ['curl', '-sS', '--max-time', '10', '--unix-socket', socket, 'http://x/v1/models']
    return host().exec(curl, { user: 'gate' })
  }

  test('fills the directory of its socket, and nothing else of the /run of the host', async () => {
    // as systemd makes it on a host of 640 MB
    await host().run(['mount', '-o', 'remount,size=64M,nr_inodes=8000', '/run'])
    const free = async () => {
      const { stdout } = await host().exec(['stat', '--file-system', '--format=%a %S %d', '/run'])
      const [blocks, size, inodes] = stdout.split(' ').map(Number)
      return { bytes: Number(blocks) * Number(size), inodes: Number(inodes) }
    }
    const before = await free()
    const fills = [
      'busybox dd if=/dev/zero of=fill bs=64k count=2048',
      'i=0; while [ $i -lt 10000 ] && true >fill$i; do i=$((i+1)); done',
    ]
    for (const fill of fills) {
      const attack = `cd /run/engine; ${fill}`
      expect(await inside('own', attack)).toMatchObject({ stderr: expect.stringContaining('No space left on device') })
      await inside('own', attack, 'root')
      const after = await free()
      expect(before.bytes - after.bytes).toBeLessThan(4 * MIB)
      expect(before.inodes - after.inodes).toBeLessThan(200)
      await host().run(['systemctl', 'daemon-reload'])
      expect(await served('own')).toMatchObject({ code: 0 })
    }
    await inside('own', 'busybox rm /run/engine/fill*')
    await host().asUser('gate-own').run(['systemctl', '--user', 'restart', 'gate-own.service'])
    expect(await served('own')).toMatchObject({ code: 0 })
  })
}
