import fc from 'fast-check'
import { parse } from 'smol-toml'
import { expect, test } from 'vitest'
import { setInToml, unsetInToml } from '../../../../syntax/toml/edit.ts'
import { sameValue, valueAt, withoutValue, withValue } from '../../../../syntax/tree.ts'

function edited(edit: ReturnType<typeof setInToml>): string {
  if (edit.kind === 'refused') throw new Error(edit.reason)
  return edit.text
}
const set = (text: string, path: string, value: unknown) => edited(setInToml(text, path.split('.'), value))
const unset = (text: string, path: string) => edited(unsetInToml(text, path.split('.')))

test.each([
  { name: 'an empty file', text: '', path: 'a.b', value: 1, expected: '[a]\nb = 1\n' },
  {
    name: 'a value with a comment behind it',
    text: '[a]\nb = 1 # one\n',
    path: 'a.b',
    value: 2,
    expected: '[a]\nb = 2 # one\n',
  },
  {
    name: 'a table that has other keys',
    text: '# top\n[a]\nx = 1\n# last\n\n[c]\ny = 2\n',
    path: 'a.b',
    value: 'v',
    expected: '# top\n[a]\nx = 1\nb = "v"\n# last\n\n[c]\ny = 2\n',
  },
  { name: 'an empty table', text: '[a]\n\n[b]\n', path: 'a.k', value: true, expected: '[a]\nk = true\n\n[b]\n' },
  {
    name: 'a missing table',
    text: '[a]\nx = 1\n',
    path: 'b.c.d',
    value: [1, 2],
    expected: '[a]\nx = 1\n\n[b.c]\nd = [1, 2]\n',
  },
  {
    name: 'a table whose sub-table exists',
    text: '[a.b.c]\nx = 1\n',
    path: 'a.b.d',
    value: 1,
    expected: '[a.b.c]\nx = 1\n\n[a.b]\nd = 1\n',
  },
  {
    name: 'a dotted key',
    text: 'a.b = 1\na.c = 2 # two\n',
    path: 'a.c',
    value: 3,
    expected: 'a.b = 1\na.c = 3 # two\n',
  },
  {
    name: 'beside a dotted key',
    text: 'a.b = 1\nz = 1\n[k]\n',
    path: 'a.c',
    value: 3,
    expected: 'a.b = 1\na.c = 3\nz = 1\n[k]\n',
  },
  {
    name: 'beside a dotted key in a table',
    text: '[t]\n  a.b.c = 1\n',
    path: 't.a.d.e',
    value: 3,
    expected: '[t]\n  a.b.c = 1\n  a.d.e = 3\n',
  },
  {
    name: 'an inline table',
    text: '[m]\nt = { a = 1, b = "x" } # c\n',
    path: 'm.t.c',
    value: 2,
    expected: '[m]\nt = { a = 1, b = "x", c = 2 } # c\n',
  },
  {
    name: 'a value in an inline table',
    text: 't = { a = 1, b.c = "x" }\n',
    path: 't.b.c',
    value: 'y',
    expected: 't = { a = 1, b.c = "y" }\n',
  },
  { name: 'an empty inline table', text: 't = {}\n', path: 't.x.y', value: 1, expected: 't = { x.y = 1 }\n' },
  {
    name: 'an inline table over several lines',
    text: 't = {\n  a = 1, # one\n}\n',
    path: 't.b',
    value: 2,
    expected: 't = {\n  a = 1, b = 2, # one\n}\n',
  },
  {
    name: 'a quoted key',
    text: '["a.b"]\n"c d" = 1\n\'e\' = 2\n',
    path: '',
    value: 9,
    keys: ['a.b', 'c d'],
    expected: '["a.b"]\n"c d" = 9\n\'e\' = 2\n',
  },
  { name: 'a key that needs quotes', text: '', path: '', value: 9, keys: ['a', 'b c'], expected: '[a]\n"b c" = 9\n' },
  {
    name: 'a list over several lines',
    text: '[a]\nl = [\n  1, # one\n  2\n]\nz = 1\n',
    path: 'a.l',
    value: [3],
    expected: '[a]\nl = [3]\nz = 1\n',
  },
  {
    name: 'a long string',
    text: 'a = """\nx = 1 # no\n[b]\n"""""\nx = 2\n',
    path: 'x',
    value: 3,
    expected: 'a = """\nx = 1 # no\n[b]\n"""""\nx = 3\n',
  },
  {
    name: 'Windows line breaks',
    text: '[a]\r\nx = 1\r\n',
    path: 'b.c',
    value: 2,
    expected: '[a]\r\nx = 1\r\n\r\n[b]\r\nc = 2\r\n',
  },
  { name: 'a byte order mark', text: '\uFEFFa = 1\n', path: 'b', value: 2, expected: '\uFEFFa = 1\nb = 2\n' },
  {
    name: 'a byte order mark before a table',
    text: '\uFEFF[a]\nx = 1\n',
    path: 'b',
    value: 2,
    expected: '\uFEFFb = 2\n[a]\nx = 1\n',
  },
  { name: 'no line break at the end', text: '[a]\nx = 1', path: 'a.y', value: 2, expected: '[a]\nx = 1\ny = 2' },
  {
    name: 'a new table after no line break',
    text: '[a]\nx = 1',
    path: 'b.y',
    value: 2,
    expected: '[a]\nx = 1\n\n[b]\ny = 2\n',
  },
  {
    name: 'beside a list of tables',
    text: '[[m.t]]\nx = 1\n',
    path: 'm.s',
    value: 'f',
    expected: '[[m.t]]\nx = 1\n\n[m]\ns = "f"\n',
  },
  {
    name: 'a whole table',
    text: '[a.b]\nx = 1 # keep\ny = 2\n',
    path: 'a.b',
    value: { x: 1, z: { w: 3 } },
    expected: '[a.b]\nx = 1 # keep\n\n[a.b.z]\nw = 3\n',
  },
  { name: 'an empty table as value', text: '', path: 'a.b', value: {}, expected: '[a.b]\n' },
])('sets in $name', ({ text, path, keys, value, expected }) => {
  const at = keys ?? path.split('.')
  const result = edited(setInToml(text, at, value))
  expect(result).toBe(expected)
  expect(sameValue(parse(result), withValue(parse(text), at, value))).toBe(true)
})

test.each([
  { name: 'a line', text: '# c\n[a]\nx = 1\ny = 2 # two\n', path: 'a.y', expected: '# c\n[a]\nx = 1\n' },
  {
    name: 'a table, with its sub-tables, but not the comments',
    text: '[a]\nx = 1\n# about b\n[a.b]\ny = 1\n\n[c]\nz = 1\n',
    path: 'a',
    expected: '# about b\n\n[c]\nz = 1\n',
  },
  { name: 'dotted keys', text: 'a.b = 1\nc = 2\na.d.e = 3\n', path: 'a', expected: 'c = 2\n' },
  { name: 'the first of an inline table', text: 't = { a = 1, b = 2 }\n', path: 't.a', expected: 't = { b = 2 }\n' },
  { name: 'the last of an inline table', text: 't = { a = 1, b = 2 }\n', path: 't.b', expected: 't = { a = 1 }\n' },
  { name: 'the only one of an inline table', text: 't = { a = 1 }\n', path: 't.a', expected: 't = { }\n' },
  {
    name: 'dotted keys of an inline table',
    text: 't = { a.b = 1, c = 3, a.d = 2 }\n',
    path: 't.a',
    expected: 't = { c = 3 }\n',
  },
  {
    name: 'a list of tables',
    text: '[[a.l]]\nx = 1\n[a.l.s]\nk = 1\n[[a.l]]\nx = 2\n[b]\ny = 1\n',
    path: 'a.l',
    expected: '[b]\ny = 1\n',
  },
  { name: 'a list over several lines', text: 'a = [\n  1, # one\n]\nb = 1\n', path: 'a', expected: 'b = 1\n' },
  { name: 'the last line without a line break', text: 'a = 1\nb = 2', path: 'b', expected: 'a = 1\n' },
  { name: 'the last of a table', text: 'x = 1\n\n[a]\ny = 2\n', path: 'a.y', expected: 'x = 1\n' },
  { name: 'the last of the only table', text: '[a]\r\ny = 2\r\n', path: 'a.y', expected: '' },
  {
    name: 'the last of a table before another',
    text: '[a]\ny = 2\n\n[b]\nz = 1\n',
    path: 'a.y',
    expected: '[b]\nz = 1\n',
  },
  {
    name: 'the last of a table before another with a comment',
    text: '[a]\ny = 2\n\n# about b\n[b]\nz = 1\n',
    path: 'a.y',
    expected: '# about b\n[b]\nz = 1\n',
  },
  {
    name: 'the last of a table that has a comment',
    text: '[a]\n# about y\ny = 2\n[b]\nz = 1\n',
    path: 'a.y',
    expected: '[a]\n# about y\n[b]\nz = 1\n',
  },
  { name: 'the last beside a sub-table', text: '[a]\ny = 2\n[a.b]\nz = 1\n', path: 'a.y', expected: '[a.b]\nz = 1\n' },
  { name: 'nothing when it is not there', text: '# c\na = 1\n', path: 'b.c', expected: '# c\na = 1\n' },
])('unsets $name', ({ text, path, expected }) => {
  expect(unset(text, path)).toBe(expected)
  expect(valueAt(parse(expected), path.split('.'))).toBeUndefined()
})

test.each([
  {
    name: 'a list written as blocks',
    text: '[[m.t]]\nx = 1\n',
    path: 'm.t',
    value: [],
    reason: '[[m.t]] blocks; unset it first',
  },
  { name: 'a table by a value', text: '[a]\nx = 1\n', path: 'a', value: 1, reason: 'written as a table' },
  {
    name: 'a key of something that is no table',
    text: 'a = [1]\n',
    path: 'a.b',
    value: 1,
    reason: 'a is written as a value',
  },
  { name: 'a text that TOML cannot hold', text: '', path: 'a', value: '\ud800', reason: 'cannot be written' },
])('refuses to set $name', ({ text, path, value, reason }) => {
  const edit = setInToml(text, path.split('.'), value)
  expect(edit).toMatchObject({ kind: 'refused', reason: expect.stringContaining(reason) })
})

test('the header of an entry stays, and what was set and unset leaves nothing', () => {
  const keeps = unsetInToml('[up.box]\nkey = 1\n', ['up', 'box', 'key'], ([map]) => map === 'up')
  expect(edited(keeps)).toBe('[up.box]\n')
  for (const text of ['', '[a]\nx = 1\n', '# c\n\n[a]\nx = 1\n']) expect(unset(set(text, 'b.c', 1), 'b.c')).toBe(text)
})

test('setting and unsetting in turn does not let the file grow', () => {
  const start = unset(set('[a]\nx = 1\n', 'b.c', 1), 'b')
  expect(unset(set(start, 'b.c', 1), 'b')).toBe(start)
})

// Texts of every layout: each line has a comment, so that "untouched" can be seen.
const names = fc.constantFrom('a', 'b', 'c', 'x-y', 'd e', 'é')
const written = (name: string) => (/^[\w-]+$/.test(name) ? name : JSON.stringify(name))
const scalar = fc.oneof(
  fc.integer(),
  fc.boolean(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.string({ unit: 'grapheme' }),
  fc.array(fc.string(), { maxLength: 3 }),
)
const literal = fc.constantFrom(
  '1',
  '"t # [x]"',
  "'l'",
  '[1, 2]',
  '[\n 1, # c\n 2\n]',
  '"""\n[z]\nq = 1\n"""',
  '{ a = 1, b = { c = 2 } }',
  '{}',
  '1.5',
  'true',
)
const key = fc.array(names, { minLength: 1, maxLength: 3 }).map((path) => path.map(written).join('.'))
const pair = fc.tuple(fc.constantFrom('', '  ', '\t'), key, literal).map(([space, k, v]) => `${space}${k} = ${v}`)
const line = fc.oneof(
  { weight: 5, arbitrary: pair },
  { weight: 2, arbitrary: key.map((k) => `[${k}]`) },
  { weight: 1, arbitrary: key.map((k) => `[[${k}]]`) },
)
const file = fc
  .tuple(fc.array(line, { maxLength: 8 }), fc.constantFrom('\n', '\r\n'), fc.boolean(), fc.boolean())
  .map(([lines, newline, bom, ending]) => {
    // A line that TOML refuses where it stands is left out.
    const valid: string[] = []
    for (const each of lines) if (isToml([...valid, each].join('\n'))) valid.push(each)
    const text = valid.flatMap((each, index) => [`# ${index} before`, `${each} # ${index}`]).join('\n')
    const whole = `${bom ? '\uFEFF' : ''}${text}${ending && text !== '' ? '\n' : ''}`
    return newline === '\n' ? whole : whole.replaceAll('\n', '\r\n')
  })
const path = fc.array(names, { minLength: 1, maxLength: 4 })

function isToml(text: string): boolean {
  try {
    parse(text)
    return true
  } catch {
    return false
  }
}

test('set, then parse, gives the file with that value, and every other line is as it was', () => {
  let done = 0
  fc.assert(
    fc.property(file, path, scalar, (text, at, value) => {
      const edit = setInToml(text, at, value)
      if (edit.kind === 'refused') return
      done += 1
      expect(sameValue(parse(edit.text), withValue(parse(text), at, value))).toBe(true)
      expect(edited(setInToml(edit.text, at, value))).toBe(edit.text)
      const own = linesOf(edit.text)
      const lost = linesOf(text).filter((each) => each.startsWith('# ') && !own.includes(each))
      expect(lost).toEqual([])
      // One place changed: a common beginning and a common end make up all of the old text but the old value.
      const { start, end } = difference(text, edit.text)
      expect(text.slice(start, end)).not.toMatch(/^# \d+ before/m)
    }),
    { numRuns: 2000 },
  )
  expect(done).toBeGreaterThan(1000)
})

test('unset, then parse, lacks the value, and comments on lines of their own stay', () => {
  let done = 0
  fc.assert(
    fc.property(file, path, (text, at) => {
      const edit = unsetInToml(text, at)
      if (edit.kind === 'refused') return
      if (edit.text !== text) done += 1
      const parsed = parse(edit.text)
      expect(valueAt(parsed, at)).toBeUndefined()
      expect(sameValue(prune(parsed), prune(withoutValue(parse(text), at)))).toBe(true)
      const own = (each: string) => linesOf(each).filter((l) => l.startsWith('# '))
      expect(own(edit.text)).toEqual(own(text))
    }),
    { numRuns: 3000 },
  )
  expect(done).toBeGreaterThan(200)
})

test('set, then unset, gives back the same values', () => {
  fc.assert(
    fc.property(file, path, scalar, (text, at, value) => {
      if (valueAt(parse(text), at) !== undefined) return
      const there = setInToml(text, at, value)
      if (there.kind === 'refused') return
      expect(sameValue(prune(parse(edited(unsetInToml(there.text, at)))), prune(parse(text)))).toBe(true)
    }),
    { numRuns: 1000 },
  )
})

function linesOf(text: string): string[] {
  return text.replace('\uFEFF', '').split(/\r?\n/)
}

function difference(before: string, after: string): { start: number; end: number } {
  let start = 0
  while (start < before.length && before[start] === after[start]) start += 1
  let tail = 0
  while (tail < before.length - start && tail < after.length - start && before.at(-1 - tail) === after.at(-1 - tail))
    tail += 1
  return { start, end: before.length - tail }
}

function prune(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  const entries = Object.entries(value).map(([name, inner]) => [name, prune(inner)] as const)
  return Object.fromEntries(entries.filter(([, inner]) => JSON.stringify(inner) !== '{}'))
}
