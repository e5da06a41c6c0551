import { expect, test } from 'vitest'
import { createFollowers } from '../../../../daemon/admin/followers.ts'

const NOTHING = () => () => {}

test('a follower gets what was and what comes, until its signal aborts; then its source is stopped', async () => {
  const followers = createFollowers(2, 100)
  const left = new AbortController()
  let push: (text: string) => void = () => {}
  let isStopped = false
  const source = (given: (text: string) => void) => {
    push = given
    return () => {
      isStopped = true
    }
  }
  const texts = followers.follow(['was '], source, left.signal)[Symbol.asyncIterator]()
  push('came ')
  expect(await texts.next()).toEqual({ done: false, value: 'was came ' })
  const next = texts.next()
  push('later')
  expect(await next).toEqual({ done: false, value: 'later' })
  expect(followers.count()).toBe(1)
  const last = texts.next()
  left.abort()
  expect(await last).toEqual({ done: true, value: undefined })
  expect([followers.count(), isStopped]).toEqual([0, true])
})

test('one that is never read counts until its signal aborts', () => {
  const followers = createFollowers(1, 100)
  const left = new AbortController()
  followers.follow([], NOTHING, left.signal)
  expect(followers.isFull()).toBe(true)
  left.abort()
  expect(followers.isFull()).toBe(false)
})

test('one that had left before it began does not count', () => {
  const followers = createFollowers(1, 100)
  followers.follow([], NOTHING, AbortSignal.abort())
  expect(followers.count()).toBe(0)
})

test('one that reads too slowly is let go, and no more is kept for it', async () => {
  const followers = createFollowers(1, 10)
  let push: (text: string) => void = () => {}
  const source = (given: (text: string) => void) => {
    push = given
    return () => {}
  }
  const texts = followers.follow([], source, new AbortController().signal)[Symbol.asyncIterator]()
  for (let i = 0; i < 3; i++) push('12345')
  await expect(texts.next()).rejects.toThrow('too slow')
})
