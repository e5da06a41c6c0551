import { statSync, writeFileSync } from 'node:fs'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { makeStateDirectory } from '../../../../daemon/process/state-directory.ts'
import { temporaryDirectory } from '../../../support/temporary-directory.ts'

let place: ReturnType<typeof temporaryDirectory>
beforeEach(() => {
  place = temporaryDirectory()
})
afterEach(() => place.remove())

test('a state directory is made with those above it, for its owner only', () => {
  makeStateDirectory(place.file('a/b'))
  makeStateDirectory(place.file('a/b'))
  for (const made of ['a', 'a/b']) expect(statSync(place.file(made)).mode & 0o777).toBe(0o700)
})

test.each([
  {
    name: 'a file',
    at: () => place.file('file'),
    says: /file: is not a directory; name a directory by STATE_DIRECTORY/,
  },
  { name: 'below a file', at: () => place.file('file/x'), says: /x: cannot be made \(ENOTDIR\); name a directory/ },
  { name: 'in /proc', at: () => '/proc/gate', says: /^\/proc\/gate: cannot be made \(\w+\); name a directory/ },
])('a state directory that cannot be is named with the reason: $name', ({ at, says }) => {
  writeFileSync(place.file('file'), '')
  expect(() => makeStateDirectory(at())).toThrow(says)
})
