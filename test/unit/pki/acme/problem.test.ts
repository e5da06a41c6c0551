import { expect, test } from 'vitest'
import { problemOf, readProblem, retryAfterMs } from '../../../../pki/acme/problem.ts'

const NOW = Date.parse('2026-11-30T12:00:00Z')

test.each([
  { header: undefined, ms: undefined },
  { header: '0', ms: 0 },
  { header: '120', ms: 120_000 },
  { header: 'Mon, 30 Nov 2026 13:00:00 GMT', ms: 3_600_000 },
  { header: 'Mon, 30 Nov 2026 11:00:00 GMT', ms: 0 },
  { header: '-5', ms: undefined },
  { header: 'soon', ms: undefined },
  { header: '99999999999999999999', ms: undefined },
])('Retry-After $header is $ms ms', ({ header, ms }) => {
  const read = retryAfterMs(header, NOW)
  if (header === '-5') expect(read ?? 0).toBe(0)
  else expect(read).toBe(ms)
})

test.each([
  {
    name: 'type and detail',
    document: { type: 'urn:ietf:params:acme:error:rateLimited', detail: 'too many' },
    expected: { type: 'rateLimited', words: 'rateLimited: too many' },
  },
  {
    name: 'subproblems',
    document: {
      type: 'urn:ietf:params:acme:error:malformed',
      detail: 'bad',
      subproblems: [{ detail: 'a.example' }, 5],
    },
    expected: { type: 'malformed', words: 'malformed: bad; a.example' },
  },
  { name: 'line breaks', document: { detail: 'a\r\nb\u2028c' }, expected: { type: '', words: 'a b c' } },
  { name: 'another document', document: [1], expected: { type: '', words: '' } },
  { name: 'nothing', document: undefined, expected: { type: '', words: '' } },
  { name: 'wrong types', document: { type: 4, detail: {} }, expected: { type: '', words: '' } },
])('reads $name of a problem', ({ document, expected }) => {
  expect(readProblem(document)).toEqual(expected)
})

test('an answer that is no problem document is told by its status', () => {
  const problem = problemOf({ status: 502, headers: { 'retry-after': '60' }, text: '<html>' }, NOW)
  expect(problem).toMatchObject({
    message: 'the CA answered with status 502',
    type: '',
    status: 502,
    retryAfterMs: 60_000,
  })
})

test('long words of a CA are cut', () => {
  expect(readProblem({ detail: 'x'.repeat(9_999) }).words).toHaveLength(501)
})
