import { writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type ProgramOptions, runToEnd } from '../../../system/program.ts'

const OPTIONS: ProgramOptions = {
  env: { PATH: '/usr/bin:/bin' },
  stdoutMaxBytes: 1000,
  stderrMaxBytes: 1000,
  graceMs: 0,
}
const sh = (script: string, options: Partial<ProgramOptions> = {}) =>
  runToEnd(['sh', '-c', script], { ...OPTIONS, ...options })

test.each([
  { name: 'both outputs', script: 'echo a; echo b >&2; exit 3', code: 3, stdout: 'a\n', stderr: 'b\n' },
  { name: 'no input', script: 'cat', code: 0, stdout: '', stderr: '' },
  { name: 'an input', script: 'cat', options: { input: 'ü' }, code: 0, stdout: 'ü', stderr: '' },
  {
    name: 'an input that is not read',
    script: 'true',
    options: { input: 'x'.repeat(1e6) },
    code: 0,
    stdout: '',
    stderr: '',
  },
  { name: 'nothing inherited', script: 'echo $HOME', code: 0, stdout: '\n', stderr: '' },
  {
    name: 'the start of a long output',
    script: 'yes | head -c 5000000',
    code: 0,
    stdout: 'y\n'.repeat(500),
    stderr: '',
  },
  { name: 'a death by signal', script: 'kill -9 $$', code: 1, stdout: '', stderr: '' },
])('a program with $name', async ({ script, options, ...expected }) => {
  const { name: _, ...end } = expected
  expect(await sh(script, options)).toEqual({ kind: 'exited', ...end })
})

test('input from a file', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'gate-program-'))
  writeFileSync(join(directory, 'in'), 'text')
  expect(await sh('cat', { inputFile: join(directory, 'in') })).toMatchObject({ stdout: 'text' })
  await rm(directory, { recursive: true })
})

test('one that is not there was not started', async () => {
  const ended = await runToEnd(['/no/such/program'], OPTIONS)
  expect(ended).toEqual({ kind: 'not-started', cause: expect.objectContaining({ code: 'ENOENT' }) })
})

test('one that takes too long is cut off, and what it wrote is kept', async () => {
  expect(await sh('echo begun; exec sleep 60', { timeoutMs: 300 })).toEqual({
    kind: 'cut-off',
    stdout: 'begun\n',
    stderr: '',
  })
})

test('children that hold its output open are not waited for', async () => {
  expect(await sh('sleep 60 & exec sleep 60', { timeoutMs: 100 })).toMatchObject({ kind: 'cut-off' })
})

test('a signal that was aborted before cuts it off as well', async () => {
  expect(await sh('exec sleep 60', { signal: AbortSignal.abort() })).toMatchObject({ kind: 'cut-off' })
})

test('with a grace it may end by itself, and is still cut off', async () => {
  const stopping = new AbortController()
  const lines: string[] = []
  const ended = await sh('trap "echo bye; exit 0" TERM; echo ready; while :; do sleep 0.01; done', {
    signal: stopping.signal,
    graceMs: 10_000,
    take: {
      from: 'stdout',
      line: async (line) => {
        lines.push(line)
        stopping.abort()
      },
    },
  })
  expect(ended.kind).toBe('cut-off')
  expect(lines).toEqual(['ready', 'bye'])
})

test('one that ignores SIGTERM is killed after the grace, while its lines are taken', async () => {
  const stopping = new AbortController()
  const ended = await sh('trap "" TERM; echo ready; while :; do sleep 0.01; done', {
    signal: stopping.signal,
    graceMs: 100,
    take: { from: 'stdout', line: async () => stopping.abort() },
  })
  expect(ended.kind).toBe('cut-off')
})

test('lines are taken in order, the other output is kept', async () => {
  const lines: string[] = []
  const line = async (text: string) => void lines.push(text)
  const ended = await sh('seq 1 2000; echo x >&2', { take: { from: 'stdout', line } })
  expect(ended).toEqual({ kind: 'exited', code: 0, stdout: '', stderr: 'x\n' })
  expect(lines).toEqual(Array.from({ length: 2000 }, (_, i) => String(i + 1)))
})

test('what a taker throws comes out', async () => {
  const take = { from: 'stdout', line: () => Promise.reject(new Error('gone')) } as const
  await expect(sh('echo a', { take })).rejects.toThrow('gone')
})
