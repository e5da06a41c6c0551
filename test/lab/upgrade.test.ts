import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { packageDeb } from '../../scripts/package-deb.ts'
import { bootHost, type Host } from './deploy.ts'
import { engineBackend, tcpBackend } from './engine/image.ts'
import { hasVersionBefore, packageBefore } from './package-before.ts'
import { cacheDir } from './rootfs.ts'
import { snapshot } from './snapshot.ts'
import { describeInLab } from './suite.ts'

const LONG_MS = 240_000
const BACKENDS = ['own', 'tcp', 'lazy']
const needs = hasVersionBefore ? undefined : 'the whole history of git'

describeInLab(
  'a Debian 13 that the version before deployed',
  () => {
    let layer: string
    let host: Host
    let before: string[]
    let key = ''

    beforeAll(async () => {
      layer = mkdtempSync(join(cacheDir, 'pack-'))
      const debs = join(layer, 'srv/debs')
      mkdirSync(debs, { recursive: true })
      copyFileSync(packageBefore(), join(debs, 'before.deb'))
      const now = packageDeb({ out: join(layer, 'now'), version: '9.1.0', quick: true, staged: inject('staged') })
      copyFileSync(now, join(debs, 'now.deb'))
      host = await bootHost('upgrade', [layer])
      writeFileSync(host.path('/etc/hosts'), '127.0.0.1 localhost\n')
    }, 2 * LONG_MS)
    afterAll(async () => {
      await host?.down()
      rmSync(layer, { recursive: true })
    })

    const install = (deb: string) => host.run(['dpkg', '--install', `/srv/debs/${deb}.deb`], { timeoutMs: LONG_MS })
    const gatectl = (...args: string[]) => host.run(['gatectl', ...args], { timeoutMs: LONG_MS })
    /** Without the books of dpkg, and the accounts that a package leaves since files may still be theirs. */
    const observed = async () => {
      const isKept = /^(?:\/var\/lib\/dpkg\/|\/var\/cache\/|\/etc\/ld\.so\.cache |gate(?:-admin|-models)?:x?:)/
      return (await snapshot(host)).split('\n').filter((line) => !isKept.test(line))
    }
    /** What a client is answered by way of the daemon, from each backend. */
    const answers = async (): Promise<string[]> => {
      const ask = async (name: string) => {
        const body = JSON.stringify({ model: `${name}/own.gguf`, messages: [{ role: 'user', content: 'x' }] })
        const curl = [
          'curl',
          '-sS',
          '--max-time',
          '60',
          '--oauth2-bearer',
          key,
          '--json',
          body,
          'http://127.0.0.1:3000/v1/chat/completions',
        ]
        return (await host.exec(curl, { timeoutMs: 90_000 })).stdout
      }
      return await Promise.all(BACKENDS.map(ask))
    }
    const expectAnswers = async () => {
      for (const answer of await answers()) expect(answer).toContain('"finish_reason":')
    }

    test('deployed by the version before, its backends answer', async () => {
      before = await observed()
      await install('before')
      key = (await gatectl('token', 'create', '--name', 'lab')).trim()
      mkdirSync(host.path('/var/lib/gate/models'), { recursive: true })
      writeFileSync(host.path('/var/lib/gate/models/own.gguf'), 'a model')
      const engine = { ...engineBackend(host.images), stop_timeout: '2s', model: 'own.gguf' }
      const backends = {
        own: engine,
        tcp: { ...tcpBackend(host.images), stop_timeout: '2s', model: 'own.gguf' },
        lazy: { ...engine, idle_stop: '10m' },
      }
      writeFileSync(host.path('/etc/gate/gate.toml'), JSON.stringify({ backends }))
      await gatectl('apply', '--yes')
      await expectAnswers()
    })

    test('the new package is installed: they answer before anything is applied', async () => {
      await install('now')
      await expectAnswers()
    })

    const expectCurrent = async () => {
      expect(await gatectl('plan')).toContain('nothing to do')
      await expectAnswers()
      const models = ['stat', '--format=%U', '/var/lib/gate', '/var/lib/gate/models', '/var/lib/gate/models/own.gguf']
      expect(await host.run(models)).toBe('root\nroot\nroot\n')
    }

    test('apply brings the host to what it is now', async () => {
      await gatectl('apply', '--yes')
      await expectCurrent()
    })

    test('a rollback makes the generation of the version before run again, and apply that of now', async () => {
      await gatectl('rollback', '--yes')
      await expectAnswers()
      await gatectl('apply', '--yes')
      await expectCurrent()
    })

    test('with all of it purged, the host is as it was before the first package', async () => {
      await gatectl('uninstall', '--purge', '--yes')
      await host.run(['rm', '/etc/gate/gate.lock.json', '/etc/gate/gate.toml'])
      await host.run(['dpkg', '--purge', 'gate'], { timeoutMs: LONG_MS })
      expect(await observed()).toEqual(before)
    })
  },
  { onlyLong: true, needs },
)
