import { afterEach, beforeEach, expect, test } from 'vitest'
import { createObjects } from '../../../daemon/gateway/objects/known.ts'
import { type ObjectStore, openObjectStore } from '../../../store/sqlite/object-store.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'

let place: ReturnType<typeof temporaryDirectory>
let store: ObjectStore
beforeEach(() => {
  place = temporaryDirectory()
  store = openObjectStore(place.file('objects.db'))
})
afterEach(() => {
  store.close()
  place.remove()
})

test('what a key made is found by that key alone, also by the next process', () => {
  store.put('a', 'file-1', 'openai', 1)
  store.put('a', 'file-2', 'groq', 2)
  store.put('b', 'file-3', 'openai', 3)
  store.close()
  store = openObjectStore(place.file('objects.db'))
  expect([store.find('a', 'file-1'), store.find('b', 'file-1'), store.find('a', 'file-3')]).toEqual([
    'openai',
    null,
    null,
  ])
  expect(store.upstreamsOf('a').toSorted()).toEqual(['groq', 'openai'])
  expect([store.has('file-3'), store.has('file-4')]).toEqual([true, false])
  expect(store.upstreamsOf('c')).toEqual([])
  store.remove('a', 'file-1')
  expect(store.find('a', 'file-1')).toBeNull()
})

test('each key has room for so much, whatever others make', () => {
  const ids = (keyId: string) => [1, 2, 3, 4, 5].filter((id) => store.find(keyId, `file-${id}`) !== null)
  store.close()
  store = openObjectStore(place.file('objects.db'), 3)
  for (const id of [1, 2]) store.put('a', `file-${id}`, 'openai', id)
  for (const id of [1, 2, 3, 4, 5]) store.put('b', `file-${id}`, 'openai', 10 + id)
  expect([ids('a'), ids('b')]).toEqual([
    [1, 2],
    [3, 4, 5],
  ])
  store.remove('b', 'file-4')
  store.remove('b', 'file-4')
  store.put('b', 'file-5', 'groq', 20)
  store.put('b', 'file-1', 'openai', 21)
  expect(ids('b')).toEqual([1, 3, 5])
  store.close()
  store = openObjectStore(place.file('objects.db'), 2)
  store.put('b', 'file-2', 'openai', 22)
  expect([ids('a'), ids('b')]).toEqual([
    [1, 2],
    [1, 2],
  ])
})

test('what is known is not written again, unless it has moved', () => {
  const puts: string[] = []
  const watched = {
    ...store,
    put(...args: Parameters<ObjectStore['put']>) {
      puts.push(args[2])
      store.put(...args)
    },
  }
  const known = createObjects(watched, () => 1).of('a')
  for (const upstream of ['openai', 'openai', 'groq', 'groq']) known.bind('file-1', upstream)
  expect(puts).toEqual(['openai', 'groq'])
  expect(known.upstreamOf('file-1')).toBe('groq')
})

test('what was counted is no news, not after a restart either, unless that came before its rows', () => {
  const first = createObjects(store, () => 1)
  expect([first.isNews('openai batch-1'), first.isNews('openai batch-1')]).toEqual([true, false])
  const killed = createObjects(store, () => 2)
  expect(killed.isNews('openai batch-1')).toBe(true)
  killed.noteCounted('openai batch-1', 'openai')
  const second = createObjects(store, () => 3)
  expect([second.isNews('openai batch-1'), second.isNews('groq batch-1')]).toEqual([false, true])
})

test('a store that fails makes news of all, which the usage log takes once', () => {
  const fails = () => {
    throw new Error('disk I/O error')
  }
  const known = createObjects({ ...store, find: fails, put: fails }, () => 1)
  expect(known.isNews('openai batch-1')).toBe(true)
  known.noteCounted('openai batch-1', 'openai')
  expect(known.isNews('openai batch-1')).toBe(false)
})
