import { execFileSync } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { gatectl } from '../../support/gatectl.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'

/** What `gatectl doctor --json` prints. */
type Page = {
  readonly healthy: boolean
  readonly counts: Readonly<Record<'ok' | 'warn' | 'fail' | 'skip', number>>
  readonly findings: readonly {
    readonly check: string
    readonly status: string
    readonly what: string
    readonly fix?: unknown
  }[]
}
const pageOf = (stdout: string): Page => JSON.parse(stdout)

describe('gatectl doctor', () => {
  let place: ReturnType<typeof temporaryDirectory>
  beforeEach(() => {
    place = temporaryDirectory()
  })
  afterEach(() => place.remove())
  const silent = () => ['--socket', place.file('no.sock')]

  test('prints a line for each check, the same for people and programs, and exits with 3 when one failed', async () => {
    place.write('gate.toml', '[gate]\ndomain = "gate.invalid"\n')
    const people = await gatectl(['doctor', place.file('gate.toml'), ...silent()])
    const programs = await gatectl(['doctor', place.file('gate.toml'), ...silent(), '--json'])
    const { healthy, counts, findings } = pageOf(programs.stdout)
    expect(healthy).toBe(false) // no daemon answers on that socket
    expect([people.code, programs.code]).toEqual([3, 3])
    expect(people.stderr + programs.stderr).toBe('')
    const lines = people.stdout.split('\n').filter((line) => /^(?:ok|warn|fail|skip) /.test(line))
    expect(lines.map((line) => line.split(/\s+/).slice(0, 2).join(' '))).toEqual(
      findings.map(({ status, check }) => `${status} ${check}`),
    )
    expect(findings.filter(({ status }) => status === 'fail').length).toBe(counts.fail)
    expect(people.stdout).toContain(`${counts.fail} fail, ${counts.warn} warn`)
    expect(findings).toContainEqual(
      expect.objectContaining({ check: 'daemon', status: 'fail', fix: expect.objectContaining({ kind: 'command' }) }),
    )
  })

  test('a spec that does not compile is a finding, one that is not there a failure', async () => {
    place.write('gate.toml', '[gate]\ndomian = "x"\n')
    const wrong = await gatectl(['doctor', place.file('gate.toml'), ...silent(), '--json'])
    expect(pageOf(wrong.stdout).findings[0]).toMatchObject({
      check: 'spec',
      status: 'fail',
      why: expect.stringContaining('UNKNOWN_KEY'),
    })
    const absent = await gatectl(['doctor', place.file('no.toml'), ...silent()])
    expect(absent).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('no.toml') })
  })

  test('writes a bundle beside the page, for its owner alone, without what the spec hides', async () => {
    place.write('gate.toml', '[upstreams.openai]\nprovider = "openai"\napi_key = "sk-canary-literal"\n')
    const file = place.file('b.tar.gz')
    const { code, stderr } = await gatectl(['doctor', place.file('gate.toml'), ...silent(), '--bundle', file], {
      env: { GATE_AUTH__TOKEN: 'correct horse battery' },
    })
    expect(code).toBe(3)
    expect(stderr).toContain('b.tar.gz written')
    expect(statSync(file).mode & 0o777).toBe(0o600)
    const all = execFileSync('tar', ['-xzOf', file], { encoding: 'utf8' })
    expect(all).toContain('provider')
    expect(all).not.toContain('canary')
    expect(all).not.toContain('horse')
    const before = readFileSync(file)
    const again = await gatectl(['doctor', ...silent(), '--bundle', file])
    expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining('it already exists') })
    expect(readFileSync(file)).toEqual(before)
  })

  test('a bundle that cannot be written is a failure', async () => {
    const { code, stderr } = await gatectl(['doctor', ...silent(), '--bundle', place.file('no/x.tar.gz')])
    expect(code).toBe(1)
    expect(stderr).toContain('name a file that you can write to')
  })

  describe('with a daemon that hangs', () => {
    let server: Server
    beforeEach(async () => {
      server = createServer((socket) => socket.resume())
      await new Promise<void>((resolve) => server.listen(place.file('hangs.sock'), resolve))
    })
    afterEach(() => new Promise((resolve) => server.close(resolve)))

    test('says so, and ends', async () => {
      const { code, stdout } = await gatectl(['doctor', '--json', '--socket', place.file('hangs.sock')])
      expect(code).toBe(3)
      expect(pageOf(stdout).findings).toContainEqual(
        expect.objectContaining({
          check: 'daemon',
          status: 'fail',
          why: expect.stringContaining('did not answer within 5 s'),
        }),
      )
    })
  })
})
