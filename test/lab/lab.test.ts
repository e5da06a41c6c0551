import { spawn } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import { bootLab, type Lab } from './lab.ts'
import { cgroupRoot } from './rootfs.ts'
import { describeInLab } from './suite.ts'

const cgroupsOf = (pid: number | undefined) =>
  readdirSync(cgroupRoot() ?? '').filter((entry) => entry.startsWith(`gate-testlab-${pid}-`))

describeInLab(
  'a lab',
  () => {
    const labs: Lab[] = []
    const boot = async (name: string) => {
      const lab = await bootLab(name)
      labs.push(lab)
      return lab
    }
    afterEach(() => Promise.all(labs.splice(0).map((lab) => lab.down())))

    test('is Debian 13 with systemd as PID 1 and nothing but loopback', async () => {
      const lab = await boot('one')
      expect(await lab.run(['cat', '/etc/debian_version'])).toMatch(/^13\./)
      expect(await lab.run(['cat', '/proc/1/comm'])).toBe('systemd\n')
      expect(await lab.run(['hostname'])).toBe('one\n')
      expect((await lab.run(['ls', '/sys/class/net'])).trim()).toBe('lo')
      expect(await lab.run(['id', '-un'], { user: 'daemon' })).toBe('daemon\n')
      await expect(lab.run(['systemctl', 'start', 'nonsense'])).rejects.toThrow(/nonsense.service not found/)
    })

    test('shares nothing with another one, and leaves nothing behind', async () => {
      const [one, two] = await Promise.all([boot('one'), boot('two')])
      await one.run(['touch', '/etc/mark'])
      expect(existsSync(one.path('/etc/mark'))).toBe(true)
      expect(existsSync(two.path('/etc/mark'))).toBe(false)
      expect(await two.run(['hostname'])).toBe('two\n')
      expect(cgroupsOf(process.pid)).toHaveLength(2)
      await one.down()
      expect((await one.exec(['true'])).stderr).toBe('the lab is not running')
      expect(await two.run(['echo', 'here'])).toBe('here\n')
      await two.down()
      expect(cgroupsOf(process.pid)).toEqual([])
    })

    test.each(['orderly', 'power cut'] as const)(
      'keeps its files over a reboot (%s), but not what runs',
      async (how) => {
        const lab = await boot('again')
        await lab.run(['sh', '-c', 'echo kept >/etc/mark; echo kept >/var/lib/mark; touch /run/mark'])
        lab.start(['sleep', 'infinity'])
        await lab.reboot(how)
        expect(await lab.run(['cat', '/etc/mark', '/var/lib/mark'])).toBe('kept\nkept\n')
        expect((await lab.exec(['ls', '/run/mark'])).code).not.toBe(0)
        expect((await lab.exec(['pgrep', 'sleep'])).code).toBe(1)
      },
    )

    test('lets a user with a manager of its own start units', async () => {
      const lab = await boot('user')
      await lab.run(['useradd', '--create-home', 'alice'])
      await lab.run(['loginctl', 'enable-linger', 'alice'])
      await lab.run(['systemctl', 'start', 'user@1000.service'])
      const alice = lab.asUser('alice')
      await alice.run(['systemd-run', '--user', '--wait', 'sh', '-c', 'pwd >$XDG_RUNTIME_DIR/mark'])
      expect(await alice.run(['cat', '/run/user/1000/mark'])).toBe('/home/alice\n')
    })

    test('dies with the process that booted it, and the next boot sweeps up', async () => {
      const module = JSON.stringify(join(import.meta.dirname, 'lab.ts'))
      const script = `import { bootLab } from ${module}; const lab = await bootLab('left'); console.log(lab.path('')); setInterval(() => {}, 1e6)`
      const owner = spawn(process.execPath, ['--input-type=module', '-e', script], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      let root = ''
      owner.stdout.on('data', (chunk: Buffer) => {
        root += chunk.toString().trim()
      })
      await vi.waitUntil(() => root !== '', { timeout: 60_000 })
      expect(existsSync(join(root, 'etc/debian_version'))).toBe(true)
      owner.kill('SIGKILL')
      await vi.waitUntil(() => !existsSync(root), { timeout: 30_000 })
      expect(cgroupsOf(owner.pid)).toHaveLength(1)
      await boot('next')
      expect(cgroupsOf(owner.pid)).toEqual([])
    })
  },
  { onlyLong: true },
)
