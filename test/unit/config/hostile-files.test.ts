import { describe, expect, test } from 'vitest'
import { configPlace } from '../../support/config-place.ts'

const lines = (count: number, line: (n: number) => string) =>
  Array.from({ length: count }, (_, n) => line(n)).join('\n')

describe('A7: a file of nothing but mistakes is told of in a few lines', () => {
  test.each([
    { name: 'unknown keys', text: lines(3_500, (n) => `k${n} = 1`) },
    { name: 'unknown keys of one table', text: `[server]\n${lines(3_500, (n) => `k${n} = 1`)}` },
    { name: 'unknown tables', text: lines(3_500, (n) => `[table${n}]`) },
    { name: 'bad names', text: `[models]\n${lines(1_000, (n) => `"a\\t${n}" = {}`)}` },
    { name: 'upstreams of no provider', text: `[upstreams]\n${lines(1_000, (n) => `a${n} = {}`)}` },
    { name: 'models of no upstream', text: `[models]\n${lines(900, (n) => `m${n}.targets = [{upstream="x"}]`)}` },
    { name: 'bad elements', text: `[server]\nallow_from = [${lines(3_500, () => '"x",')}]` },
    { name: 'variables that are not set', text: `[relay]\naddresses = [${lines(3_500, (n) => `"$\{A${n}}",`)}]` },
  ])('A7 $name', async ({ text }) => {
    const place = configPlace()
    const config = place.open()
    place.write('config.toml', text)
    const { problems } = await config.reload()
    expect(problems.length).toBe(51)
    expect(problems[50]).toMatchObject({ code: 'MORE_PROBLEMS', where: place.file })
    expect(problems[50]?.message).toMatch(/^and \d{3,5} more$/)
    expect(place.lines.length).toBeLessThan(15)
    expect(JSON.stringify([problems, place.lines]).length).toBeLessThan(40_000)
    expect(config.closed()).toBeUndefined()
    expect(config.validate(text)).toEqual(problems)
  })

  test.each([
    { name: 'more than 128 KiB', text: lines(25_000, (n) => `k${n} = 1`), said: 'larger than 128 KiB' },
    { name: 'more than 4,000 keys', text: lines(4_001, (n) => `k${n} = 1`), said: 'more than 4000 keys' },
    {
      name: 'more than 1,000 models',
      text: `[models]\n${lines(1_001, (n) => `m${n} = {}`)}`,
      said: 'models has more than',
    },
    { name: 'a key of 5,000 parts', text: `${'a.'.repeat(5_000)}b = 1`, said: 'more than 20 deep' },
    {
      name: 'a variable of 100,000 characters',
      text: `[auth]\ntoken = "$\{${'A'.repeat(100_000)}}"`,
      said: 'which is not set',
    },
    { name: 'a key of 100,000 characters', text: `${'a'.repeat(100_000)} = 1`, said: 'unknown key aaa' },
    { name: 'a name of 100,000 characters', text: `[upstreams."${'é'.repeat(100_000)}"]`, said: 'is not a valid name' },
  ])('A7 $name', async ({ text, said }) => {
    const place = configPlace()
    const config = place.open()
    place.write('config.toml', text)
    const { problems } = await config.reload()
    expect(problems).toMatchObject([{ message: expect.stringContaining(said) }])
    expect(JSON.stringify(problems).length).toBeLessThan(4_000)
  })
})
