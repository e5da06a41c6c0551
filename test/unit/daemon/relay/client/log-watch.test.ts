import { afterEach, beforeEach, expect, test } from 'vitest'
import { createLogWatch } from '../../../../../daemon/relay/client/log-watch.ts'
import { temporaryDirectory } from '../../../../support/temporary-directory.ts'

const NAME = 'me.relay.example.org'
let folder: ReturnType<typeof temporaryDirectory>
let answer: string
let found: string[]
let asked: string[]
beforeEach(() => {
  folder = temporaryDirectory()
  answer = '[]'
  found = []
  asked = []
})
afterEach(() => folder.remove())

const watched = (served: readonly string[] = ['0a1b']) =>
  createLogWatch({
    stateDirectory: folder.path,
    search: () => 'https://logs.example.org/?q={name}',
    names: () => [NAME],
    served: () => served,
    fetch: async (url) => {
      asked.push(url)
      return answer
    },
    found: (name, serial) => found.push(`${name} ${serial}`),
    now: () => Date.parse('2026-12-01T00:00:00Z'),
    log: () => {},
  })

test.each([
  { name: 'one of its own, written another way', answer: '[{"serial_number":"0A1B"}]', unknown: [] },
  { name: 'one of another', answer: '[{"serial_number":"ff"},{"serial_number":"FF"}]', unknown: ['ff'] },
  { name: 'one that has run out', answer: '[{"serial_number":"ff","not_after":"2026-11-01T00:00:00"}]', unknown: [] },
])('a log with $name', async ({ answer: text, unknown }) => {
  answer = text
  const watch = watched()
  await watch.ask()
  await watch.ask()
  expect(found).toEqual(unknown.map((serial) => `${NAME} ${serial}`)) // told once
  expect(watch.status()?.unknown).toEqual(unknown.map((serial) => ({ name: NAME, serial })))
  expect(asked[0]).toBe(`https://logs.example.org/?q=${NAME}`)
  watch.stop()
})

test('what was told is not told again after a restart, and certificates of before are known', async () => {
  answer = '[{"serial_number":"ff"},{"serial_number":"a1b"}]'
  const before = watched()
  await before.ask()
  before.stop()
  const after = watched(['0c'])
  await after.ask()
  expect(found).toEqual([`${NAME} ff`])
  after.stop()
})

test.each(['', '{}', '[{"serial":1}]'])('an answer that is no list (%j) is said', async (text) => {
  answer = text
  const watch = watched()
  await watch.ask()
  expect(watch.status()?.error).toBeTypeOf('string')
  expect(found).toEqual([])
  watch.stop()
})

test('rounds that are asked for during one are one more, and each name is asked for once in each', async () => {
  const watch = watched()
  await Promise.all([watch.ask(), watch.ask(), watch.ask(), watch.ask()])
  expect(asked.length).toBe(2)
  await watch.ask()
  expect(asked.length).toBe(3)
  watch.stop()
})

test('a log full of certificates is told a few at a time, and the file stays small', async () => {
  answer = JSON.stringify(Array.from({ length: 2_000 }, (_, i) => ({ serial_number: (0xf0000 + i).toString(16) })))
  const watch = watched()
  await watch.ask()
  expect(found.length).toBe(20)
  for (let round = 0; round < 60; round++) await watch.ask()
  expect(watch.status()?.unknown.length).toBe(1_000)
  watch.stop()
})
