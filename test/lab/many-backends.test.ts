import { writeFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sampled } from '../support/effort.ts'
import { bootHost, type Host } from './deploy.ts'
import { describeInLab } from './suite.ts'

const COUNT = sampled(12, 100)
const SPEC = '/etc/gate/gate.toml'

/** What a plan and an apply cost does not grow with the backends that stay as they are; the times are printed. */
describeInLab(
  `a host with ${COUNT} backends`,
  () => {
    let host: Host
    beforeAll(async () => {
      host = await bootHost('many')
    })
    afterAll(() => host?.down())

    const write = (changed?: string) => {
      const backend = (name: string) => ({
        engine: 'custom',
        image: host.images.idle.reference,
        image_archive: host.images.idle.archive,
        listen: 'unix',
        notify: 'started',
        stop_timeout: '1s',
        idle_stop: '1h',
        environment: { EDITION: name === changed ? 'second' : 'first' },
      })
      const names = Array.from({ length: COUNT }, (_, i) => `b${i}`)
      const backends = Object.fromEntries(names.map((name) => [name, backend(name)]))
      writeFileSync(host.path(SPEC), JSON.stringify({ backends }))
    }
    const timed = async (...command: string[]) => {
      const begun = performance.now()
      const { code, stdout, stderr } = await host.exec(['gatectl', ...command], { timeoutMs: 280_000 })
      console.log(`gatectl ${command.join(' ')}: ${((performance.now() - begun) / 1_000).toFixed(1)} s`)
      return { code, stdout, stderr }
    }
    const userctl = (name: string, ...args: string[]) =>
      host.run(['systemctl', '--user', '-M', `gate-${name}@.host`, ...args])
    const startedAt = (name: string) =>
      userctl(name, 'show', '--value', '-p', 'ExecMainStartTimestampMonotonic', `gate-${name}.service`)

    test('all are applied, and then there is nothing to do', async () => {
      write()
      expect(await timed('apply', '--yes')).toMatchObject({ code: 0 })
      expect(await timed('plan')).toMatchObject({ code: 0 })
    })

    test('a change of one restarts that one', async () => {
      // as a connection would: nothing else keeps a container on demand
      for (const name of ['b7', 'b8']) await userctl(name, 'start', `gate-${name}-proxy.service`)
      const before = { b7: await startedAt('b7'), b8: await startedAt('b8') }
      write('b7')
      const plan = await timed('plan')
      expect(plan.code).toBe(3)
      expect(plan.stdout).toContain('gate-b7.service')
      expect(plan.stdout).not.toContain('gate-b8.service')
      expect(await timed('apply', '--yes')).toMatchObject({ code: 0 })
      expect(await startedAt('b7')).not.toBe(before.b7)
      expect(await startedAt('b8')).toBe(before.b8)
    })
  },
  { onlyLong: true },
)
