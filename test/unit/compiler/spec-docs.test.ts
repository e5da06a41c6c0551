import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { compile } from '../../../compiler/compile.ts'
import { specSchema } from '../../../schemas/spec/spec.ts'
import { TARGET_NAMES } from '../../../schemas/words/targets.ts'

const page = readFileSync(join(import.meta.dirname, '../../../docs/spec.md'), 'utf8')
const examples = [...page.matchAll(/```toml\n([\s\S]*?)```/g)].map(([, text = '']) => ({
  text,
  first: text.split('\n')[0],
}))

test.each(examples)('the example $first compiles without an error', ({ text }) => {
  for (const target of TARGET_NAMES) {
    const { diagnostics } = compile(text, { targets: [target] })
    const errors = diagnostics.filter(({ severity }) => severity === 'error')
    // only a host that apply works on has a CA
    const isWithoutCa = ['compose', 'launchd'].includes(target) && /^internal_ca = true/m.test(text)
    expect(errors, target).toEqual(isWithoutCa ? [expect.objectContaining({ code: 'NOT_EXPRESSIBLE' })] : [])
  }
})

test('every section of the spec has an example', () => {
  const sections = Object.keys(specSchema.shape).filter((name) => name !== '$schema')
  const all = examples.map(({ text }) => text).join('\n')
  expect(sections.filter((name) => !new RegExp(`^\\[${name}[.\\]]`, 'm').test(all))).toEqual([])
})

test('every target in the table is one', () => {
  const named = [...page.matchAll(/^\| `([a-z]+)` /gm)].map(([, name]) => name)
  expect(named.length).toBeGreaterThan(8)
  expect(named.filter((name) => !TARGET_NAMES.some((target) => target === name))).toEqual([])
})
