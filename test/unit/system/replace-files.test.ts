import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { replaceFiles, replaceLink } from '../../../system/replace-files.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'gate-files-'))
})
afterEach(() => rmSync(directory, { recursive: true }))
const at = (name: string) => join(directory, name)
const file = (name: string, text = 'new', mode = 0o600) => ({ file: at(name), text, mode })

test.each([
  { name: 'a new file', make: () => {}, real: 'config.toml' },
  { name: 'a file', make: () => writeFileSync(at('config.toml'), 'old'), real: 'config.toml' },
  {
    name: 'C3: a link, which stays',
    make: () => {
      mkdirSync(at('dotfiles'))
      writeFileSync(at('dotfiles/gate.toml'), 'old')
      symlinkSync('dotfiles/gate.toml', at('config.toml'))
    },
    real: 'dotfiles/gate.toml',
  },
  {
    name: 'a link to a link, both of which stay',
    make: () => {
      symlinkSync(at('b'), at('config.toml'))
      symlinkSync('real', at('b'))
      writeFileSync(at('real'), 'old')
    },
    real: 'real',
  },
  { name: 'a link to nothing', make: () => symlinkSync('real', at('config.toml')), real: 'real' },
])('follows links: $name', ({ make, real }) => {
  make()
  const link = lstatSync(at('config.toml'), { throwIfNoEntry: false })?.isSymbolicLink() ?? false
  replaceFiles([file('config.toml')], { links: 'follow' })
  expect(readFileSync(at('config.toml'), 'utf8')).toBe('new')
  expect(lstatSync(at('config.toml')).isSymbolicLink()).toBe(link)
  expect(lstatSync(at(real)).isFile()).toBe(true)
})

test('refuses a link that leads to itself', () => {
  symlinkSync('config.toml', at('config.toml'))
  const write = () => replaceFiles([file('config.toml')], { links: 'follow' })
  expect(write).toThrow(expect.objectContaining({ code: 'ELOOP' }))
  expect(readdirSync(directory)).toEqual(['config.toml'])
})

test('replaces a link that is not to be followed, and leaves its target alone', () => {
  writeFileSync(at('real'), 'old')
  symlinkSync('real', at('unit'))
  replaceFiles([file('unit')], { links: 'replace' })
  expect(lstatSync(at('unit')).isFile()).toBe(true)
  expect(readFileSync(at('real'), 'utf8')).toBe('old')
})

test('changes no file when one text cannot be written, and leaves nothing behind', () => {
  writeFileSync(at('a'), 'old')
  const write = () => replaceFiles([file('a'), file('missing/b')], { links: 'replace' })
  expect(write).toThrow(expect.objectContaining({ code: 'ENOENT' }))
  expect(readFileSync(at('a'), 'utf8')).toBe('old')
  expect(readdirSync(directory)).toEqual(['a'])
})

test('gives the mode and time that were asked for, whatever the umask is, and makes directories', () => {
  replaceFiles([{ ...file('a/b/c', 'text', 0o666), modifiedMs: 86_400_000 }], { links: 'replace', parentMode: 0o700 })
  expect(statSync(at('a/b/c')).mode & 0o7777).toBe(0o666)
  expect(statSync(at('a/b/c')).mtimeMs).toBe(86_400_000)
  expect(statSync(at('a/b')).mode & 0o7777).toBe(0o700)
})

test('removes what a killed run left where one process writes at a time', () => {
  writeFileSync(at('.a.new'), 'half of')
  replaceFiles([file('a')], { links: 'replace', stagedSuffix: 'new' })
  replaceLink(at('l'), 'a', { stagedSuffix: 'new' })
  replaceLink(at('l'), 'b', { stagedSuffix: 'new' })
  expect(readdirSync(directory).sort()).toEqual(['a', 'l'])
  expect(readlinkSync(at('l'))).toBe('b')
})
