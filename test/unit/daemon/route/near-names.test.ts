import { expect, test } from 'vitest'
import { nearNames } from '../../../../daemon/route/near-names.ts'

test.each([
  { name: 'GPT-5', known: ['a/gpt-5', 'b/gpt-5', 'c/gpt-5', 'gpt-5'], first: 'gpt-5' },
  { name: 'gtp-5', known: ['qwen', 'gpt-5', 'gpt-4.1'], first: 'gpt-5' },
  { name: 'nothing like it', known: ['qwen', 'gpt-5'], first: undefined },
])('the nearest of $known to $name is $first', ({ name, known, first }) => {
  expect(nearNames(name, known)[0]).toBe(first)
})
