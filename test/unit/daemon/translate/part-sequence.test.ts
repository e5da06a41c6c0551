import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { NeutralEvent } from '../../../../daemon/translate/neutral.ts'
import { PartSequence } from '../../../../daemon/translate/part-sequence.ts'

/** The parts that events tell of; throws when they do not follow each other. */
function partsIn(events: readonly NeutralEvent[]): { name: string; text: string }[] {
  const parts: { name: string; text: string }[] = []
  let isOpen = false
  for (const event of events) {
    if (event.kind === 'part') {
      if (isOpen) throw new Error('a part began inside another')
      isOpen = true
      parts.push({ name: event.part.kind === 'call' ? event.part.name : event.part.kind, text: '' })
    } else if (event.kind === 'part-end') isOpen = false
    else if (event.kind === 'more') {
      const open = parts.at(-1)
      if (!isOpen || open === undefined) throw new Error('text outside of a part')
      open.text += event.text
    }
  }
  if (isOpen) throw new Error('the last part did not end')
  return parts
}

const call = (name: string) => ({ kind: 'call', id: name, name }) as const

test('calls that come in turns follow each other, each of them whole', () => {
  const json = fc.json({ maxDepth: 2 })
  fc.assert(
    fc.property(fc.array(json, { minLength: 1, maxLength: 4 }), fc.infiniteStream(fc.nat()), (texts, picks) => {
      const sequence = new PartSequence()
      const left = texts.map((text) => [...text])
      for (const index of texts.keys()) sequence.begin(`${index}`, call(`call ${index}`))
      while (left.some(({ length }) => length > 0)) {
        const busy = left.flatMap(({ length }, index) => (length > 0 ? [index] : []))
        const index = busy[picks.next().value % busy.length] ?? 0
        sequence.delta(`${index}`, left[index]?.splice(0, 2).join('') ?? '')
      }
      sequence.endAll()
      expect(partsIn(sequence.take())).toEqual(texts.map((text, index) => ({ name: `call ${index}`, text })))
    }),
    { numRuns: 100 },
  )
})

test('the arguments of a call are passed on as they come once those before it are complete', () => {
  const sequence = new PartSequence()
  sequence.begin('a', call('a'))
  sequence.delta('a', '{"x":')
  sequence.begin('b', call('b'))
  sequence.delta('b', '{')
  expect(sequence.take()).toEqual([
    { kind: 'part', part: call('a') },
    { kind: 'more', text: '{"x":' },
  ])
  sequence.delta('a', '1}')
  sequence.end('a')
  expect(sequence.take()).toEqual([
    { kind: 'more', text: '1}' },
    { kind: 'part-end' },
    { kind: 'part', part: call('b') },
    { kind: 'more', text: '{' },
  ])
})

test('a part that has ended takes nothing but blanks', () => {
  const sequence = new PartSequence()
  sequence.begin('a', { kind: 'text' })
  sequence.end('a')
  sequence.delta('a', ' ')
  expect(() => sequence.delta('a', 'more')).toThrow('had ended')
})

test('what waits is bounded', () => {
  const sequence = new PartSequence()
  sequence.begin('a', call('a'))
  sequence.delta('a', '{')
  sequence.begin('b', call('b'))
  expect(() => {
    for (let i = 0; i < 100; i += 1) sequence.delta('b', 'x'.repeat(2 ** 16))
  }).toThrow('too much')
})
