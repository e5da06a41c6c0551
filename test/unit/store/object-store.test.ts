import { afterEach, beforeEach, expect, test } from 'vitest'
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
