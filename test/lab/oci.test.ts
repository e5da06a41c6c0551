import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { packageOci } from '../../scripts/package-oci.ts'
import { bootHost, type Host } from './deploy.ts'
import { describeInLab } from './suite.ts'

describeInLab(
  'Gate as a container, by podman',
  () => {
    let lab: Host
    let digest = ''
    let image = ''
    beforeAll(async () => {
      const out = mkdtempSync(join(tmpdir(), 'gate-oci-test-'))
      lab = await bootHost('oci')
      try {
        const built = packageOci({ out, quick: true })
        digest = built.digest
        cpSync(built.file, lab.path('/var/tmp/gate.oci.tar'))
      } finally {
        rmSync(out, { recursive: true })
      }
      const loaded = await lab.run(['podman', 'load', '--input', '/var/tmp/gate.oci.tar'], { timeoutMs: 120_000 })
      image = /localhost\/gate:\S+/.exec(loaded)?.[0] ?? ''
      mkdirSync(lab.path('/srv/config'), { recursive: true })
      writeFileSync(lab.path('/srv/config/config.toml'), '# mine\nserver.port = 3456\nlog.format = "json"\n')
    })
    afterAll(() => lab?.down())

    const podman = (...args: string[]) => lab.run(['podman', ...args], { timeoutMs: 60_000 })
    const run = (...more: string[]) => {
      const options = ['--detach', '--name', 'gate', '--network', 'host', '--read-only', '--cap-drop', 'all']
      return podman('run', ...options, '--volume', 'gate-data:/data', ...more, image)
    }
    const answers = async (path: string, ...more: string[]) =>
      lab.run([
        'curl',
        '-sS',
        '--retry',
        '40',
        '--retry-connrefused',
        '--retry-delay',
        '1',
        ...more,
        `http://127.0.0.1:3456${path}`,
      ])

    test('the image is called as the compiler calls it, by the digest that was printed', async () => {
      expect(image).toBe('localhost/gate:latest')
      expect(await podman('image', 'inspect', '--format', '{{.Digest}}', image)).toBe(`${digest}\n`)
    })

    test('reads /config/config.toml, keeps /data, and its key outlives the container', async () => {
      const mount = ['--volume', '/srv/config:/config:ro']
      await run(...mount)
      expect(await answers('/health')).toBe('{"status":"ok"}')
      const log = await podman('logs', 'gate')
      expect(log).toContain('podman exec NAME gatectl token create')
      expect(log).not.toMatch(/gate_[\w-]{43}/)
      expect(JSON.parse(await podman('exec', 'gate', 'gatectl', 'token', 'list', '--json'))).toEqual({ keys: [] })
      const key = (await podman('exec', 'gate', 'gatectl', 'token', 'create', '--name', 'me')).trim()
      const chat = [
        '--header',
        `authorization: Bearer ${key}`,
        '--json',
        '{"model":"echo","messages":[{"role":"user","content":"hello"}]}',
      ]
      expect(await answers('/v1/chat/completions', ...chat)).toContain('"content":"hello"')
      await podman('rm', '--force', '--time', '10', 'gate')
      await run(...mount)
      expect(await answers('/v1/chat/completions', ...chat)).toContain('"content":"hello"')
    })

    test('gatectl works inside; what cannot be written is said, and nothing is lost', async () => {
      expect(JSON.parse(await podman('exec', 'gate', 'gatectl', 'status', '--json'))).toMatchObject({ state: 'ready' })
      const edit = await lab.exec(['podman', 'exec', 'gate', 'gatectl', 'config', 'set', 'log.level', 'debug'])
      expect(edit.code).toBe(1)
      expect(edit.stderr).toMatch(/config\.toml.*(?:EROFS|read-only)/)
      expect(readFileSync(lab.path('/srv/config/config.toml'), 'utf8')).toContain('# mine\nserver.port = 3456')
    })

    test('runs as nobody’s account, without a shell, and drains when it is stopped', async () => {
      expect(await podman('exec', 'gate', 'node', '-p', 'process.getuid()')).toBe('65532\n')
      expect((await lab.exec(['podman', 'exec', 'gate', 'sh', '-c', 'true'])).code).not.toBe(0)
      await podman('stop', '--time', '20', 'gate')
      expect(await podman('inspect', '--format', '{{.State.ExitCode}}', 'gate')).toBe('0\n')
    })
  },
  { onlyLong: true },
)
