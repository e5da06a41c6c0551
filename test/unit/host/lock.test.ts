import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, closeSync, openSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { takeLock } from '../../../host/lock.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'

const MODULE = join(import.meta.dirname, '../../../host/lock.ts')

let file = ''
let remove = () => {}
beforeEach(() => {
  const directory = temporaryDirectory()
  file = directory.file('lock')
  remove = directory.remove
})
afterEach(() => {
  vi.unstubAllEnvs()
  remove()
})

test('the second one is refused, and told who works', async () => {
  const lock = await takeLock(file, 'the first', 0)
  await expect(takeLock(file, 'the second', 0)).rejects.toMatchObject({
    problems: [{ code: 'BUSY', message: expect.stringContaining('the first') }],
  })
  await lock.release()
  await (await takeLock(file, 'the third', 0)).release()
})

test('the holder is told also while its files come and go', async () => {
  const before = Array.from({ length: 40 }, () => openSync('/dev/null', 'r'))
  const lock = await takeLock(file, 'the first', 0)
  for (const descriptor of before) closeSync(descriptor) // what is opened now is looked at first
  const busy = new Worker(
    "const { closeSync, openSync } = require('node:fs'); for (;;) for (const fd of Array.from({ length: 20 }, () => openSync('/dev/null'))) closeSync(fd)",
    { eval: true },
  )
  try {
    await once(busy, 'online')
    for (let turn = 0; turn < 20; turn += 1) {
      await expect(takeLock(file, 'the second', 0)).rejects.toMatchObject({
        problems: [{ code: 'BUSY', message: expect.stringContaining('the first') }],
      })
    }
  } finally {
    await busy.terminate()
  }
  await lock.release()
})

test('the second one waits when it is told to', async () => {
  const first = await takeLock(file, 'the first', 0)
  const second = takeLock(file, 'the second', 10_000)
  await first.release()
  await (await second).release()
})

test('a holder that is killed holds nothing', async () => {
  const script = `const { takeLock } = await import(${JSON.stringify(MODULE)}); await takeLock(${JSON.stringify(file)}, 'doomed', 0); console.log('locked')`
  const holder = spawn(process.execPath, ['--input-type=module', '-e', `${script}; setInterval(() => {}, 1000)`])
  await once(holder.stdout, 'data')
  await expect(takeLock(file, 'me', 0)).rejects.toMatchObject({ problems: [{ code: 'BUSY' }] })
  holder.kill('SIGKILL')
  await once(holder, 'close')
  await (await takeLock(file, 'me', 5_000)).release()
})

test('without flock no other program is blamed', async () => {
  vi.stubEnv('PATH', `${file}-none`)
  await expect(takeLock(file, 'me', 0)).rejects.toMatchObject({ problems: [{ code: 'NO_PROGRAM' }] })
  vi.unstubAllEnvs()
  await (await takeLock(file, 'me', 0)).release()
})

test('only its owner can open it, however it was left', async () => {
  writeFileSync(file, '', { mode: 0o666 })
  chmodSync(file, 0o666)
  await (await takeLock(file, 'me', 0)).release()
  expect(statSync(file).mode & 0o777).toBe(0o600)
})

test('who holds it is what the kernel says, not what was written there before', async () => {
  await (await takeLock(file, 'the one before', 0)).release()
  const other = spawn('flock', ['--exclusive', file, 'sh', '-c', 'echo locked; cat'])
  await once(other.stdout, 'data')
  const refused = await takeLock(file, 'me', 0).catch((error) => error.problems[0].message)
  other.stdin.end()
  await once(other, 'close')
  expect(refused).toMatch(/: (?:flock|sh|cat), process \d+ of user \d+$/)
})
