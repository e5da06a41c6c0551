import { expect, test } from 'vitest'
import { cookiesIn } from '../../../syntax/cookie/cookie.ts'

test.each([
  { header: 'a=b', pairs: [['a', 'b']] },
  {
    header: ' a = b ;c=d',
    pairs: [
      ['a', 'b'],
      ['c', 'd'],
    ],
  },
  {
    header: 'a=b=c; a=',
    pairs: [
      ['a', 'b=c'],
      ['a', ''],
    ],
  },
  {
    header: 'a; =b; c="d"',
    pairs: [
      ['', 'b'],
      ['c', '"d"'],
    ],
  },
  { header: '', pairs: [] },
])('$header is $pairs', ({ header, pairs }) => {
  expect(cookiesIn(header)).toEqual(pairs)
})
