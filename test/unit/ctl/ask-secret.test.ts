import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { askSecret, firstLine } from '../../../ctl/terminal/ask-secret.ts'

/** A terminal that keeps nothing to itself, and what was written on it. */
function terminal() {
  const raw: boolean[] = []
  const stdin = Object.assign(new PassThrough(), { isTTY: true, setRawMode: (on: boolean) => raw.push(on) })
  const stderr = new PassThrough()
  return { stdin, stderr, raw }
}

test.each([
  { name: 'Enter ends it', keys: ['secret\r'], expected: 'secret' },
  { name: 'a line feed ends it', keys: ['secret\n'], expected: 'secret' },
  { name: 'it comes in pieces', keys: ['sec', 'ret', '\r'], expected: 'secret' },
  { name: 'Backspace takes back', keys: ['secrets\u007f\r'], expected: 'secret' },
  { name: 'Ctrl-D ends it', keys: ['secret\u0004'], expected: 'secret' },
  { name: 'nothing was typed', keys: ['\u007f\r'], expected: '' },
])('$name, and nothing of it is shown', async ({ keys, expected }) => {
  const { stdin, stderr, raw } = terminal()
  const asked = askSecret(stdin, stderr, 'password: ')
  for (const key of keys) stdin.write(key)
  expect(await asked).toBe(expected)
  expect(raw).toEqual([true, false])
  stderr.end()
  expect(await text(stderr)).toBe('password: \n')
})

test('Ctrl-C breaks it off, and the terminal is as it was', async () => {
  const { stdin, stderr, raw } = terminal()
  const asked = askSecret(stdin, stderr, 'password: ')
  stdin.write('sec\u0003')
  await expect(asked).rejects.toMatchObject({ exitCode: 2 })
  expect(raw).toEqual([true, false])
})

test.each([
  ['secret\n', 'secret'],
  ['secret\r\nmore\n', 'secret'],
  ['secret', 'secret'],
  ['', ''],
])('the first line of %j is %j', (whole, line) => expect(firstLine(whole)).toBe(line))
