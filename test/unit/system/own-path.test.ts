import { chmodSync, chownSync, mkdirSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { ownPath, temporaryFolder } from '../../../system/own-path.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'

let place: ReturnType<typeof temporaryDirectory>
beforeEach(() => {
  place = temporaryDirectory()
  mkdirSync(place.file('above/folder'), { recursive: true, mode: 0o755 })
})
afterEach(() => {
  vi.unstubAllEnvs()
  place.remove()
})

test.each([
  { name: 'a folder of ours', isOwn: true },
  { name: 'a folder that others write to', folder: 0o777, isOwn: false },
  { name: 'a folder that others write to, of which they rename nothing', folder: 0o1777, isOwn: false },
  { name: 'a folder below one that others write to', above: 0o777, isOwn: false },
  { name: 'a folder below one in which others rename nothing', above: 0o1777, isOwn: true },
])('$name is used: $isOwn', ({ folder = 0o755, above = 0o755, isOwn }) => {
  chmodSync(place.file('above/folder'), folder)
  chmodSync(place.file('above'), above)
  expect(ownPath(place.file('above/folder'))).toBe(isOwn ? place.file('above/folder') : undefined)
})

test('a link counts as where it leads', () => {
  mkdirSync(place.file('open'), { mode: 0o755 })
  chmodSync(place.file('open'), 0o777)
  symlinkSync('above', place.file('link'))
  symlinkSync('../open', place.file('above/away'))
  expect(ownPath(place.file('link/folder'))).toBe(place.file('above/folder'))
  expect(ownPath(place.file('above/away'))).toBeUndefined()
})

const asRoot = test.skipIf(process.getuid?.() !== 0)

asRoot('a folder of root below one of another account is not used (needs root)', () => {
  chownSync(place.file('above'), 1234, 1234)
  expect(ownPath(place.file('above/folder'))).toBeUndefined()
})

asRoot('root makes nothing where TMPDIR of another account leads (needs root)', () => {
  vi.stubEnv('TMPDIR', place.file('above/folder'))
  expect(temporaryFolder()).toBe(place.file('above/folder'))
  chownSync(place.file('above'), 1234, 1234)
  expect(tmpdir()).toBe(place.file('above/folder'))
  expect(temporaryFolder()).toBe('/tmp')
  vi.stubEnv('TMPDIR', place.file('none'))
  expect(temporaryFolder()).toBe('/tmp')
})
