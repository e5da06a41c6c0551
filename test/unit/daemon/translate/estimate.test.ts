import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { anthropic } from '../../../../daemon/translate/anthropic/dialect.ts'
import type { Dialect } from '../../../../daemon/translate/dialect.ts'
import { google } from '../../../../daemon/translate/google/dialect.ts'
import { openAiResponses } from '../../../../daemon/translate/openai-responses/dialect.ts'
import { textTokens } from '../../../../daemon/translate/text-tokens.ts'

const corpus = join(import.meta.dirname, '../../../corpus')
const tokens: Readonly<Record<string, number>> = JSON.parse(readFileSync(join(corpus, 'tokens.json'), 'utf8'))

const dialects: readonly (readonly [Dialect, string])[] = [
  [anthropic, 'anthropic'],
  [openAiResponses, 'openai'],
  [google, 'google'],
]

const rows = Object.entries(tokens).flatMap(([file, known]) =>
  dialects.map(([dialect, provider]) => ({ file, known, dialect, provider })),
)
test.each(rows)('$file is about $known tokens, said in $dialect.name', ({ file, known, dialect, provider }) => {
  const [endpoint] = dialect.endpoints
  if (endpoint === undefined) throw new Error('no endpoint')
  const asked = JSON.parse(readFileSync(join(corpus, file), 'utf8'))
  const call = { endpoint, param: '', url: endpoint.path, headers: {}, body: Buffer.from(JSON.stringify(asked)) }
  const request = anthropic.neutral.readRequest(call)
  const own = dialect === anthropic ? asked : dialect.neutral?.writeRequest(request, { model: 'm', provider })
  const estimate = dialect.countInput?.({ ...call, body: Buffer.from(JSON.stringify(own)) })
  expect(estimate).toBeGreaterThan(known * 0.9)
  expect(estimate).toBeLessThan(known * 1.1)
})

test.each([
  ['', 0],
  ['hello world', 2],
  ['a', 1],
  ['123456', 2],
  ['x = 1', 4],
  ['\\n\\n    indented', 3],
  ['漢字かな', 2.96],
])('%j is about %d tokens', (text, expected) => {
  const bytes = Buffer.from(text)
  expect(textTokens(bytes, 0, bytes.length)).toBeCloseTo(expected, 1)
})

test('no text has more tokens than bytes, and a longer one has no fewer', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (text, more) => {
      const [short, long] = [Buffer.from(text), Buffer.from(`${text} ${more}`)]
      const tokensOfShort = textTokens(short, 0, short.length)
      expect(tokensOfShort).toBeLessThanOrEqual(short.length)
      expect(textTokens(long, 0, long.length)).toBeGreaterThan(tokensOfShort - 1.5)
    }),
  )
})
