import { expect, test } from 'vitest'
import { createLineBuffer } from '../../../../daemon/log/line-buffer.ts'

test('joins the lines of one turn of the event loop into one write, in order', async () => {
  const written: string[] = []
  const lines = createLineBuffer((text) => written.push(text))
  lines.push('a\n')
  lines.push('b\n')
  expect(written).toEqual([])
  await new Promise((resolve) => setImmediate(resolve))
  expect(written).toEqual(['a\nb\n'])
})

test('writes what waits when flushed, and nothing twice', async () => {
  const written: string[] = []
  const lines = createLineBuffer((text) => written.push(text))
  lines.push('last words\n')
  lines.flush()
  await new Promise((resolve) => setImmediate(resolve))
  expect(written).toEqual(['last words\n'])
})

test('holds no more than a bounded number of characters', () => {
  const written: string[] = []
  const lines = createLineBuffer((text) => written.push(text))
  lines.push('x'.repeat(100_000))
  expect(written).toEqual(['x'.repeat(100_000)])
})
