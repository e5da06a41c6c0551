import { expect, test } from 'vitest'
import { compile } from '../../../compiler/compile.ts'

const IMAGE = `example.org/engine@sha256:${'0'.repeat(64)}`
const said = (text: string) => compile(text, { targets: ['quadlet'] }).diagnostics.map(({ code }) => code)
const backend = (extra: string) => `[backends.b]\nengine = "custom"\nnotify = "started"\nimage = "${IMAGE}"\n${extra}\n`

test.each([
  { name: 'a table where one of a few words belongs', text: 'gate.profile = {}', expected: 'INVALID_VALUE' },
  { name: 'an array there', text: backend('user = []'), expected: 'INVALID_VALUE' },
  { name: 'a key of 1,000 parts', text: `a${'.a'.repeat(1_000)} = 1`, expected: 'SYNTAX' },
  { name: 'JSON 20,000 deep', text: `${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}`, expected: 'SYNTAX' },
  { name: 'JSON arrays 20,000 deep', text: `{"a":${'['.repeat(20_000)}${']'.repeat(20_000)}}`, expected: 'SYNTAX' },
  { name: 'arrays in TOML', text: `a = ${'['.repeat(5_000)}${']'.repeat(5_000)}`, expected: 'SYNTAX' },
  { name: '100,000 arguments', text: backend(`args = [${'"a",'.repeat(100_000)}]`), expected: 'SYNTAX' },
])('D1: $name is a diagnostic', ({ text, expected }) => expect(said(text)).toEqual([expected]))

test('D1: what a spec may have compiles', () => expect(said(backend(`args = [${'"a",'.repeat(10_000)}]`))).toEqual([]))

test('D4: a model that is written wrong is not missing as well', () =>
  expect(said(backend('model = "/mnt/x"').replace('custom', 'vllm'))).toEqual(['INVALID_VALUE']))
