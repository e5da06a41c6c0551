import fc from 'fast-check'
import { expect, test } from 'vitest'
import { JsonScanner, outlineOf } from '../../../syntax/json/outline.ts'

/** JSON.parse, but for what the scanner refuses beyond it. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function agrees(text: string): void {
  const body = Buffer.from(text)
  const outline = outlineOf(body)
  const value = parsed(body.toString())
  const isObject = value !== null && typeof value === 'object' && !Array.isArray(value)
  expect([text, outline.kind]).toEqual([text, isObject ? 'object' : 'refused'])
  if (outline.kind !== 'object') return
  const read = outline.members.map(({ key, start, end }) => [key, JSON.parse(body.toString('utf8', start, end))])
  expect(Object.fromEntries(read)).toEqual({ ...(value as object) })
}

test('any object is read as JSON.parse reads it', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue()), fc.nat(3), (value, indent) => {
      if (!Object.hasOwn(value, '__proto__')) agrees(JSON.stringify(value, null, indent))
    }),
  )
})

test('any text of the letters of JSON is taken or refused as by JSON.parse', () => {
  const token = fc.constantFrom(
    ...'{}[]:,"\\ue01.-+E tn',
    '"a"',
    'true',
    'false',
    'null',
    '1',
    '-0',
    '1e5',
    '\\u00e9',
    '\n',
    '\t',
  )
  fc.assert(
    fc.property(fc.array(token), (tokens) => agrees(`{"a":${tokens.join('')}}`)),
    { numRuns: 5_000 },
  )
  fc.assert(
    fc.property(fc.array(token), (tokens) => agrees(tokens.join(''))),
    { numRuns: 2_000 },
  )
})

test('any object with one byte changed is taken or refused as by JSON.parse', () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.string(), fc.jsonValue()),
      fc.nat(),
      fc.integer({ min: 0, max: 127 }),
      (value, at, byte) => {
        const bytes = Buffer.from(JSON.stringify({ ...value, n: [-1.5e-3, 0.25, 1e9, true, false, null, {}, []] }))
        bytes[at % bytes.length] = byte
        const text = bytes.toString()
        if (!text.includes('\ufffd') && !text.includes('__proto__')) agrees(text)
      },
    ),
    { numRuns: 2_000 },
  )
})

test('wherever it is cut, a body looks the same', () => {
  const body = Buffer.from('{ "a" : [1, -2.5e+3, "\\u00e9\\n"], "é":{"b":null} ,"c":true}')
  const whole = outlineOf(body)
  expect(whole.kind).toBe('object')
  for (let at = 0; at <= body.length; at += 1) {
    const scanner = new JsonScanner()
    scanner.feed(body.subarray(0, at))
    scanner.feed(body.subarray(at))
    expect(scanner.end(body)).toEqual(whole)
  }
})

const nested = (depth: number) => `{"a":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}}`
const keys = (count: number) => `{${Array.from({ length: count }, (_, i) => `"k${i}":1`).join()}}`

test.each([
  { name: 'A6: a byte order mark', body: Buffer.from('\ufeff{}'), problem: 'byte order mark' },
  { name: 'A6: bytes that are not UTF-8', body: Buffer.from('{"a":"\xff"}', 'latin1'), problem: 'UTF-8' },
  { name: 'A6: half a character', body: Buffer.from([0x7b, 0x22, 0xc3, 0x22, 0x3a, 0x31, 0x7d]), problem: 'UTF-8' },
  { name: 'A6: UTF-16', body: Buffer.from('{}', 'utf16le'), problem: 'not valid JSON' },
  { name: 'A5: 129 levels', body: Buffer.from(nested(129)), problem: 'deeper than 128' },
  { name: 'A5: 1,001 keys outside', body: Buffer.from(keys(1_001)), problem: 'more than 1000 keys' },
  { name: 'A5: a long key', body: Buffer.from(`{"${'k'.repeat(2_000)}":1}`), problem: 'longer than 1024 bytes' },
  { name: 'a list', body: Buffer.from('[1,{"a":2}]'), problem: 'must be a JSON object' },
])('refuses $name', ({ body, problem }) => {
  expect(outlineOf(body)).toEqual({ kind: 'refused', problem: expect.stringContaining(problem) })
})

test.each([nested(128), keys(1_000), `{"x":${keys(50_000)}}`])('takes what is just within the bounds', (text) => {
  expect(outlineOf(Buffer.from(text)).kind).toBe('object')
})
