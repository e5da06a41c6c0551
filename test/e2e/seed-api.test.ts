import { execFile, spawn } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Daemon, startDaemon } from '../support/daemon.ts'
import { hasProgram } from '../support/programs.ts'
import { type SleepyBackend, startSleepyBackend } from '../support/sleepy-backend.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

const run = promisify(execFile)
const directory = temporaryDirectory()
let daemon: Daemon
let backend: SleepyBackend

describe.skipIf(!hasProgram('curl'))('the commands that a seed shows, with curl', () => {
  beforeAll(async () => {
    backend = await startSleepyBackend(directory.file('llama'), 'llama')
    const { socket, agent } = backend
    const llama = { provider: 'custom', base_url: 'http://localhost/v1', models: ['llama-3-8b'], socket, agent }
    daemon = await startDaemon({
      BREAK_GLASS: 'true',
      BOOTSTRAP_USER: 'admin',
      BOOTSTRAP_PASSWORD: 'changeme',
      GATE_AUTH__MODE: '["token","password"]',
      GATE_BACKENDS: JSON.stringify({ llama }),
    })
  })
  afterAll(async () => {
    await daemon?.stop()
    daemon?.remove()
    await backend?.close()
    directory.remove()
  })

  /** A command as it is shown, but for the address. @returns the JSON that it prints */
  async function shown(...args: readonly string[]): Promise<unknown> {
    const here = args.map((arg) => arg.replace('http://localhost:3000', daemon.url))
    const { stdout } = await run('curl', ['-s', '-S', ...here])
    return JSON.parse(stdout)
  }
  const as = ['-u', 'admin:changeme'] as const
  const post = (path: string, body: string) =>
    shown(...as, '-X', 'POST', `http://localhost:3000${path}`, '-H', 'Content-Type: application/json', '-d', body)

  test('makes a model category', async () => {
    const made = await post(
      '/api/admin/categories',
      '{"name": "thinking", "description": "Models for reasoning tasks"}',
    )
    expect(made).toMatchObject({ id: 'thinking', name: 'thinking', description: 'Models for reasoning tasks' })
  })

  test('starts and stops the container of a model', async () => {
    expect(await post('/api/admin/containers/start', '{"model_id": "llama-3-8b"}')).toMatchObject({
      name: 'llama',
      state: 'ready',
    })
    expect(await post('/api/admin/containers/stop', '{"model_id": "llama"}')).toMatchObject({ state: 'stopped' })
  })

  test('shows disk, backends and queues', async () => {
    expect(await shown(...as, 'http://localhost:3000/api/admin/system')).toMatchObject({
      host: { disks: [{ total_bytes: expect.any(Number), free_bytes: expect.any(Number) }] },
      backends: [{ name: 'llama', requests_waiting: 0 }],
    })
  })

  test('follows the figures with the cookie of a session', async ({ skip }) => {
    const ann = await post('/api/admin/users', '{"name": "ann", "role": "member", "password": "the-password-of-ann"}')
    skip(JSON.stringify(ann).includes('SIGN_IN_REFUSED'), 'nobody can sign in')
    const login = '{"username": "ann", "password": "the-password-of-ann"}'
    const { token } = (await post('/auth/login', login)) as { token: string } // its shape is tested elsewhere
    const curl = spawn('curl', ['-s', '-N', '-H', `Cookie: se_session=${token}`, `${daemon.url}/api/user/events`])
    let text = ''
    for await (const chunk of curl.stdout) {
      text += String(chunk)
      if (/^data: .*$/m.test(text)) break
    }
    curl.kill()
    expect(JSON.parse(/^data: (.*)$/m.exec(text)?.[1] ?? '')).toMatchObject({ view: 'user', requests: { own: 1 } })
  })

  test('checks the health', async () => {
    const { stdout } = await run('sh', ['-c', `curl -ksf ${daemon.url}/auth/providers || echo "unhealthy"`])
    expect(stdout).not.toContain('unhealthy')
  })
})
