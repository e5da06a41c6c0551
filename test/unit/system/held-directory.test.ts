import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  closeSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { holdDirectory, openHeldFile } from '../../../system/held-directory.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'

let place: ReturnType<typeof temporaryDirectory>
beforeEach(() => {
  place = temporaryDirectory()
  for (const name of ['a', 'a/b', 'other', 'shared']) mkdirSync(place.file(name))
  chmodSync(place.file('shared'), 0o777)
})
afterEach(() => place.remove())

/** Writes a file into it. @returns where it came out */
function written(path: string, between: () => void = () => {}): string[] {
  const held = holdDirectory(path)
  between()
  writeFileSync(`${held.at}/new`, '')
  held.release()
  const folders = ['a', 'a/b', 'moved', 'other', 'shared']
  return folders.filter((name) => existsSync(place.file(name)) && readdirSync(place.file(name)).includes('new'))
}

const onLinux = test.skipIf(process.platform !== 'linux')

onLinux('links of our own directories are followed, to wherever they lead', () => {
  symlinkSync('a/../a/b', place.file('inner'))
  symlinkSync(place.file('inner'), place.file('outer'))
  expect(written(place.file('outer'))).toEqual(['a/b'])
})

onLinux('a path is taken as it is written', () => {
  expect(written(place.file('./a/../other'))).toEqual(['other'])
})

onLinux('a link is refused where another account may have put it', () => {
  symlinkSync('../other', place.file('shared/link'))
  expect(() => holdDirectory(place.file('shared/link'))).toThrow('ELOOP')
  expect(written(place.file('shared'))).toEqual(['shared'])
})

onLinux('it stays the same directory when its name leads elsewhere', () => {
  const swap = () => {
    renameSync(place.file('a'), place.file('moved'))
    symlinkSync('other', place.file('a'))
  }
  expect(written(place.file('a'), swap)).toEqual(['moved'])
})

test('what is not there, or no directory, is an error', () => {
  if (process.platform !== 'linux') return
  writeFileSync(place.file('file'), '')
  expect(() => holdDirectory(place.file('none'))).toThrow('ENOENT')
  expect(() => holdDirectory(place.file('file'))).toThrow('ENOTDIR')
})

function read(path: string): string {
  const descriptor = openHeldFile(place.file(path))
  const text = readFileSync(descriptor, 'utf8')
  closeSync(descriptor)
  return text
}

onLinux('a file is read where it is, and through links of our own', () => {
  writeFileSync(place.file('shared/archive'), 'text')
  symlinkSync('../shared/archive', place.file('a/link'))
  expect(read('shared/archive')).toBe('text')
  expect(read('a/link')).toBe('text')
})

onLinux('a file is not read through a link that another account may have put, nor by a second name', () => {
  writeFileSync(place.file('other/secret'), 'text')
  symlinkSync('../other/secret', place.file('shared/link'))
  symlinkSync('../other', place.file('shared/way'))
  linkSync(place.file('other/secret'), place.file('shared/twin'))
  for (const path of ['shared/link', 'shared/way/secret', 'shared/twin']) expect(() => read(path)).toThrow('ELOOP')
})

onLinux('nothing but a file is read, and no pipe waited for', () => {
  execFileSync('mkfifo', [place.file('pipe')])
  expect(() => read('pipe')).toThrow('EINVAL')
  expect(() => read('a')).toThrow('EINVAL')
})
