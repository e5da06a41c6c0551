import { beforeEach, expect, test } from 'vitest'
import { createFormerTexts } from '../../../../daemon/auth/former-texts.ts'
import type { PreviousHash } from '../../../../daemon/auth/key-record.ts'
import { GateError } from '../../../../schemas/words/errors.ts'

const text = (hash: string, until: number, keyId = 'a'): PreviousHash => ({ hash, keyId, until })
const hashes = (texts: readonly PreviousHash[]) => texts.map(({ hash }) => hash).join('')

let stored: readonly PreviousHash[]
let isFull: boolean
let at: number
const open = () =>
  createFormerTexts(
    {
      previous: () => stored,
      rotate: (keyId, previous) => {
        if (isFull) throw new GateError('STORE_UNAVAILABLE', 'the disk is full')
        stored = [...stored.filter((one) => one.keyId !== keyId), ...previous]
      },
    },
    () => at,
  )
beforeEach(() => {
  stored = [text('x', 1_000, 'b')]
  isFull = false
  at = 0
})

test.each([
  {
    title: 'four of a key at most, the latest',
    texts: ['1', '2', '3', '4', '5'].map((hash) => text(hash, 10)),
    kept: '2345',
  },
  { title: 'none whose time is over', texts: [text('1', 0), text('2', 10)], kept: '2' },
  { title: 'none', texts: [], kept: '' },
])('keeps $title, and those of other keys', ({ texts, kept }) => {
  const former = open()
  expect(hashes(former.keep('a', texts, null))).toBe(kept)
  expect([hashes(former.of('a')), hashes(former.of('b')), hashes(stored)]).toEqual([kept, 'x', `x${kept}`])
})

test('one more is beside those before, unless it does not count on: then none does', () => {
  const former = open()
  former.keep('a', [text('1', 10)], null)
  expect([hashes(former.with(text('2', 10))), hashes(former.with(text('2', 0)))]).toEqual(['12', ''])
})

test('what ends while the store is full has ended, and is removed later', () => {
  const former = open()
  former.keep('a', [text('1', 10)], null)
  isFull = true
  expect([hashes(former.end('a')), hashes(former.of('a')), hashes(stored)]).toEqual(['1', '', 'x1'])
  isFull = false
  former.removeStale()
  expect([hashes(stored), hashes(former.end('a'))]).toEqual(['x', ''])
})
