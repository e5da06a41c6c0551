import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { caddyRefusal, group, line, printCaddyfile } from '../../syntax/caddyfile/print.ts'
import { adaptCaddy, validateCaddy } from '../support/caddy.ts'
import { throwAwayCertificate } from '../support/certificate.ts'
import { expectedGolden, goldenNames } from '../support/golden.ts'
import { nastyText } from '../support/nasty-text.ts'
import { hasProgram } from '../support/programs.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

const directory = temporaryDirectory()
afterAll(directory.remove)
const withCaddy = test.skipIf(!hasProgram('caddy') || !hasProgram('openssl'))
const goldens = goldenNames().flatMap((name) => {
  const text = expectedGolden(name).get('caddy/Caddyfile')
  return text === undefined ? [] : [{ name, text }]
})

test('there are goldens for caddy', () => expect(goldens.length).toBeGreaterThan(1))

withCaddy.each(goldens)('caddy validate (needs caddy, openssl) accepts the golden $name', ({ text }) => {
  const { cert, key } = throwAwayCertificate(directory.path, ['localhost'])
  const here = text.replace(/^\ttls \S+ \S+$/gm, `\ttls ${cert} ${key}`)
  const { status, stderr } = validateCaddy(here, directory.path)
  expect({ status, said: status === 0 ? '' : stderr }).toEqual({ status: 0, said: '' })
})

withCaddy('caddy adapt (needs caddy, openssl) reads any text back as one argument, as it is, or it is refused', () => {
  const texts = fc.sample(nastyText, { numRuns: 3_000, seed: 4 })
  const accepted = texts.filter((text) => caddyRefusal(text) === undefined && text.isWellFormed() && text !== '')
  expect(accepted.length).toBeGreaterThan(300)
  const responds = accepted.map((text, i) => group(['handle', `/${i}`], [line('respond', '*', text, '200')]))
  const adapted = adaptCaddy(printCaddyfile([], [group(['http://:8080'], responds)], []).text, directory.path)
  const bodies: unknown[] = []
  const collect = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return
    if ('handler' in value && value.handler === 'static_response') bodies.push('body' in value ? value.body : undefined)
    else for (const inner of Object.values(value)) collect(inner)
  }
  collect(adapted)
  expect(bodies.toSorted()).toEqual(accepted.toSorted())
})

test('the printer throws for what a Caddyfile cannot hold', () => {
  for (const text of ['a\nb', '{env.HOME}', '{$HOME}', 'a`"', '`\\'])
    expect(() => printCaddyfile([], [line('respond', text)], [])).toThrow(RangeError)
})
