import fc from 'fast-check'
import { parse, stringify } from 'smol-toml'
import { expect, test } from 'vitest'
import { compile } from '../../../compiler/compile.ts'
import { indexSource } from '../../../compiler/parse/source.ts'
import type { SpecPath } from '../../../schemas/spec/path.ts'

const key = fc
  .oneof(fc.stringMatching(/^[A-Za-z0-9_-]{1,6}$/), fc.string({ minLength: 1, maxLength: 5 }))
  .filter((k) => k !== '__proto__')
const scalar = fc.oneof(fc.string({ unit: 'binary', maxLength: 8 }), fc.integer(), fc.boolean())
const { table } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    scalar,
    fc.array(scalar, { maxLength: 3 }),
    fc.array(tie('table'), { minLength: 1, maxLength: 3 }),
    tie('table'),
  ),
  table: fc.dictionary(key, tie('value'), { maxKeys: 4, noNullPrototype: true }),
}))

/** Every scalar of the value with its path. */
function* scalars(value: unknown, path: SpecPath = []): Generator<{ path: SpecPath; value: unknown }> {
  if (typeof value !== 'object' || value === null) return yield { path, value }
  for (const [name, inner] of Object.entries(value))
    yield* scalars(inner, [...path, Array.isArray(value) ? Number(name) : name])
}

function textAt(text: string, path: SpecPath): string {
  const span = indexSource('spec', text).valueSpan(path)
  return (text.split('\n')[span.line - 1] ?? '').slice(span.column - 1, span.endColumn - 1)
}

test('finds every value of any JSON text', () => {
  fc.assert(
    fc.property(table, fc.constantFrom(0, 2), (value, indent) => {
      const text = JSON.stringify(value, null, indent)
      for (const { path, value: expected } of scalars(value)) expect(JSON.parse(textAt(text, path))).toEqual(expected)
    }),
  )
})

test('finds every value of any TOML text', () => {
  fc.assert(
    fc.property(table, (value) => {
      const text = stringify(value)
      for (const { path, value: expected } of scalars(value))
        expect(parse(`x = ${textAt(text, path)}`)).toEqual({ x: expected })
    }),
  )
})

test.each([
  { name: 'a dotted key', text: 'a.b . "c d" = 1', path: ['a', 'b', 'c d'], expected: '1' },
  { name: 'a value before a comment', text: '[t]\nk = 0x1F   # it is 31', path: ['t', 'k'], expected: '0x1F' },
  { name: 'a literal string with quotes', text: `k = 'a "b" \\'`, path: ['k'], expected: `'a "b" \\'` },
  {
    name: 'the second of an array of tables',
    text: '[[a]]\nk = 1\n[[a]]\n[a.b]\nk = 2',
    path: ['a', 1, 'b', 'k'],
    expected: '2',
  },
  { name: 'an array with comments', text: 'k = [ # one\n  1, # two\n  22,\n]', path: ['k', 1], expected: '22' },
  { name: 'what follows a multi-line string', text: 'a = """x\n]"" """\nb = 3', path: ['b'], expected: '3' },
  { name: 'an inline table', text: 'k = { a = [1, 2], b = "}" }', path: ['k', 'b'], expected: '"}"' },
  { name: 'a JSON value behind line breaks', text: '{"a"\n:\n[\n12\n]\n}', path: ['a', 0], expected: '12' },
  { name: 'a header with spaces', text: '[ a . b ]\nk = 1', path: ['a', 'b'], expected: 'a . b' },
  { name: 'the nearest parent of an absent key', text: '[a.b]\nk = 1', path: ['a', 'b', 'x'], expected: 'a.b' },
])('finds $name', ({ text, path, expected }) => expect(textAt(text, path)).toBe(expected))

test.each([
  { name: 'JSON', text: '\uFEFF{ "gate": { "server": { "prot": 1 } } }', column: 26 },
  { name: 'TOML', text: '\uFEFFgate.server.prot = 1', column: 14 },
])('C3: a byte order mark before a spec in $name is no part of it, and places stay right', ({ text, column }) => {
  const { diagnostics } = compile(text, { targets: ['declared'] })
  expect(diagnostics).toMatchObject([{ code: 'UNKNOWN_KEY', span: { line: 1, column } }])
})
