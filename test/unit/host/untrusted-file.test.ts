import { execFileSync } from 'node:child_process'
import { mkdirSync, symlinkSync } from 'node:fs'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { missingImages } from '../../../host/apply/images.ts'
import { localHost } from '../../../host/host.ts'
import { readUntrusted } from '../../../host/untrusted-file.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'

let directory: ReturnType<typeof temporaryDirectory>
beforeEach(() => {
  directory = temporaryDirectory()
  mkdirSync(directory.file('there/inner'), { recursive: true })
  directory.write('there/inner/list', 'text')
})
afterEach(() => directory.remove())

const read = (inner: string) => readUntrusted(directory.path, inner, 100)

test('reads a file', () => {
  expect(read('there/inner/list')).toBe('text')
  expect(read('there/none/list')).toBeUndefined()
})

test('no link is followed, neither as the file nor on the way to it', () => {
  symlinkSync('list', directory.file('there/inner/link'))
  symlinkSync('there', directory.file('way'))
  expect(read('there/inner/link')).toBeUndefined()
  expect(read('way/inner/list')).toBeUndefined()
})

test('nothing but a file is read, and no pipe waited for', () => {
  execFileSync('mkfifo', [directory.file('pipe')])
  expect(read('pipe')).toBeUndefined()
  expect(read('there/inner')).toBeUndefined()
})

test('a file that is too large is not read', () => {
  directory.write('large', 'x'.repeat(101))
  expect(read('large')).toBeUndefined()
})

const IMAGE = `localhost/engine@sha256:${'0'.repeat(64)}`

/** What a plan finds missing when a user's own list of images says this. */
function missingWith(names: readonly string[], link = false): Promise<readonly unknown[]> {
  const storage = '.local/share/containers/storage/overlay-images'
  mkdirSync(directory.file(storage), { recursive: true })
  const list = `${storage}/images.json`
  directory.write(link ? 'elsewhere' : list, JSON.stringify([{ names, digest: IMAGE.split('@')[1] }]))
  if (link) symlinkSync(directory.file('elsewhere'), directory.file(list))
  const user = { name: 'gate-one', uid: 40000, gid: 40000, home: directory.path, shell: '' }
  const accounts = { users: new Map([['gate-one', user]]), groups: new Map(), subuids: [], subgids: [] }
  const host = { ...localHost(), ask: async () => ({ code: 1, stdout: '', stderr: '' }) }
  return missingImages(host, [{ user: 'gate-one', image: IMAGE }], { ...accounts, linger: new Set() })
}

test('an image is there when the list of its user says so', async () => {
  expect(await missingWith(['localhost/engine:1'])).toEqual([])
})

test('a link in place of the list says nothing', async () => {
  expect(await missingWith(['localhost/engine:1'], true)).toHaveLength(1)
})

test('a name made to take long does not', async () => {
  const before = process.threadCpuUsage()
  expect(await missingWith([`${':'.repeat(300_000)}/`])).toHaveLength(1)
  expect(process.threadCpuUsage(before).user / 1e6).toBeLessThan(5) // seconds of CPU, not of the clock
})

test('a program has no terminal to write commands into', async () => {
  const { code } = await localHost().ask(['sh', '-c', 'test "$(ps -o sid= -p $$ | tr -d " ")" = $$'])
  expect(code).toBe(0)
})
