import { afterAll, beforeAll, expect, test } from 'vitest'
import { bootHost, deployByHand, type Host } from './deploy.ts'
import { ENGINE_HEALTH } from './engine/image.ts'
import { describeInLab } from './suite.ts'

const SOCKET = '/run/gate/backends/talk/engine.sock'

describeInLab(
  'a spec, deployed as the generated README.txt says',
  () => {
    let host: Host
    beforeAll(async () => {
      host = await bootHost('deploy')
      await deployByHand(
        host,
        JSON.stringify({
          backends: {
            talk: {
              engine: 'custom',
              image: host.images.engine.reference,
              listen: 'unix',
              args: ['--listen', '{socket}'],
              health: { command: ENGINE_HEALTH, start_interval: '500ms', start_period: '20s' },
              idle_stop: '1m',
            },
          },
        }),
      )
    })
    afterAll(() => host?.down())

    const ask = (path: string, user = 'gate', ...more: string[]) =>
      host.exec(['curl', '-sS', '--max-time', '60', '--unix-socket', SOCKET, `http://localhost${path}`, ...more], {
        user,
        timeoutMs: 60_000,
      })
    const state = async () => {
      const userctl = ['systemctl', '--user', '-M', 'gate-talk@.host']
      return (await host.exec([...userctl, 'is-active', 'gate-talk.service'])).stdout.trim()
    }

    test('a request through the socket wakes the backend, which answers', async () => {
      expect(await state()).toBe('inactive')
      const { stdout, stderr } = await ask('/v1/models')
      expect(stderr).toBe('')
      expect(JSON.parse(stdout)).toMatchObject({ data: [{ id: 'test-model' }] })
      expect(await state()).toBe('active')
      const body = JSON.stringify({ messages: [{ role: 'user', content: 'hello there' }] })
      const chat = await ask('/v1/chat/completions', 'gate', '--json', body)
      expect(JSON.parse(chat.stdout)).toMatchObject({ choices: [{ message: { content: 'hello there' } }] })
    })

    test('it comes back after a reboot', async () => {
      await host.reboot()
      expect(await state()).toBe('inactive')
      expect((await ask('/health')).stdout).toBe('{"status":"ok"}')
      expect(await state()).toBe('active')
    })
  },
  { onlyLong: true },
)
