import { expect, test } from 'vitest'
import { createKept } from '../../../../daemon/gateway/kept.ts'

function keptOf(text: string | null) {
  const store = { put: () => {}, get: () => text, remove: () => false, trim: () => false }
  const limits = { keptForMs: 1, maxBytes: 1 }
  return createKept(
    store,
    () => null,
    () => {},
    () => 0,
    limits,
  )
}

test.each([
  { name: 'long answers', text: JSON.stringify({ text: 'x'.repeat(16 * 2 ** 20) }), looks: 3 },
  { name: 'answers that are not there', text: null, looks: 16_384 },
])('one request reads so many $name and no more, and the next one as many', ({ text, looks }) => {
  const kept = keptOf(text)
  for (const answers of [kept.of('k'), kept.of('k')]) {
    for (let n = 0; n < looks; n += 1) answers.find('resp_a')
    expect(() => answers.find('resp_a')).toThrow('send the input itself')
  }
})
