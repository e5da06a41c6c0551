// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the form that config.toml has
import { describe, expect, test } from 'vitest'
import { configPlace, refusal } from '../../support/config-place.ts'

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

describe('A7: nor do the other layers stall the start, or fill the log', () => {
  const variables = (name: (n: number) => string) =>
    Object.fromEntries(Array.from({ length: 5_000 }, (_, n) => [name(n), 'x']))

  test.each([
    { name: 'variables with unknown keys', env: variables((n) => `GATE_A${n}__B`) },
    { name: 'variables with unknown keys of one table', env: variables((n) => `GATE_SERVER__A${n}`) },
    { name: 'upstreams of no provider', env: variables((n) => `GATE_UPSTREAMS__A${n}__PROVIDER`) },
  ])('A7 $name', ({ env }) => {
    const problems = refusal(() => configPlace({ env }).open())
    expect(problems.length).toBeLessThanOrEqual(52)
    expect(problems.at(-1)).toMatchObject({ code: 'MORE_PROBLEMS', where: 'the environment' })
    expect(JSON.stringify(problems).length).toBeLessThan(40_000)
  })

  test('A7 variables of other programs are none of ours, however many', () => {
    expect(
      configPlace({ env: variables((n) => `GATE_SERVICE_PORT_${n}`) })
        .open()
        .problems(),
    ).toEqual([])
  })

  const many = (value: object) => Object.fromEntries(Array.from({ length: 5_000 }, (_, n) => [`u${n}`, value]))
  test.each([
    { name: 'a declared file of secrets', declared: { upstreams: many({ provider: 'openai', apiKey: 'k' }) } },
    { name: 'a declared file of variables', declared: { upstreams: many({ provider: 'openai', baseUrl: '${A}' }) } },
    { name: 'a declared file of unknown keys', declared: many({}) },
    { name: 'a declared file 20,000 deep', declared: `${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}` },
    {
      name: 'a declared list 20,000 deep',
      declared: `{"server":{"allow_from":${'['.repeat(20_000)}${']'.repeat(20_000)}}}`,
    },
  ])('A7 $name', ({ declared }) => {
    const problems = refusal(() => configPlace({ declared }).open())
    expect(problems.length).toBeLessThanOrEqual(51)
    expect(JSON.stringify(problems).length).toBeLessThan(40_000)
  })

  test('A7 a variable with a table 20,000 deep', () => {
    const env = { GATE_MODELS: `${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}` }
    expect(refusal(() => configPlace({ env }).open())).toMatchObject([{ code: 'WRONG_TYPE', where: 'GATE_MODELS' }])
  })
})
