import { describe, expect, test } from 'vitest'
import { configPlace } from '../../support/config-place.ts'

const NARROW =
  '[server]\nallow_from = ["192.0.2.0/24"]\nmax_body = "1MiB"\n\n[auth]\ntoken = "a-token-of-the-runtime-file"\n'
const FAST = '\n[models.fast]\ntargets = [{ upstream = "openai", model = "gpt-5" }]\n'
const KEY = { GATE_UPSTREAMS__OPENAI__API_KEY: 'sk-of-the-environment' }

/** Opened once with the variable, which makes the last good copy, then without it. */
function restartedWithout(runtime: string, env: Readonly<Record<string, string>> = KEY) {
  const place = configPlace({ runtime })
  expect(place.open(env).problems()).toEqual([])
  return { config: place.open({}), place }
}

describe('A1: a runtime file that can no longer stand whole', () => {
  test('A1 a model whose upstream only the environment knew is left out, what narrows access stays', () => {
    const { config, place } = restartedWithout(NARROW + FAST)
    expect(config.current().server).toMatchObject({ allow_from: ['192.0.2.0/24'], max_body: '1MiB' })
    expect(config.current().auth.token).toBe('a-token-of-the-runtime-file')
    expect(config.current().models).toEqual({})
    expect(config.problems()).toMatchObject([{ code: 'UNKNOWN_UPSTREAM', layer: 'runtime' }])
    expect(place.read()).toBe(NARROW + FAST)
    expect(place.lines.map(({ message }) => message)).toContain(
      'the runtime file is in force, except for what is wrong in it or conflicts with other layers',
    )
  })

  test('A1 one bad name among models takes no other with it', () => {
    const other = '\n[models.slow]\ntargets = [{ upstream = "echo", model = "echo" }]\n'
    expect(Object.keys(restartedWithout(NARROW + FAST + other).config.current().models)).toEqual(['slow'])
  })

  test('A1 an upstream whose provider only the environment knew is left out, with the models that need it', () => {
    const box =
      '\n[upstreams.box]\nbase_url = "http://127.0.0.1:9/v1"\n\n[models.fast]\ntargets = [{ upstream = "box", model = "m" }]\n'
    const { config } = restartedWithout(NARROW + box, { GATE_UPSTREAMS__BOX__PROVIDER: 'custom' })
    expect(config.current().server.allow_from).toEqual(['192.0.2.0/24'])
    expect(config.current().models).toEqual({})
    expect(Object.keys(config.current().upstreams)).not.toContain('box')
  })

  test('A1 the file is whole again when the variable is back', () => {
    const { place } = restartedWithout(NARROW + FAST)
    const again = place.open(KEY)
    expect(again.problems()).toEqual([])
    expect(Object.keys(again.current().models)).toEqual(['fast'])
  })

  test('A1 a file in force in part can still be edited where it is right', async () => {
    const { config, place } = restartedWithout(NARROW + FAST)
    await config.unset('models.fast')
    expect(config.problems()).toEqual([])
    expect(place.read()).toContain('192.0.2.0/24')
  })
})

describe('A1: a file that gives way to its last good copy keeps what it says of access', () => {
  const OPEN = '[log]\nlevel = "debug"\n'
  const ALLOW = '[server]\nallow_from = ["192.0.2.0/24"]\n'

  /** Opened once with a good file, then with another that was written by hand. */
  function rewritten(text: string) {
    const place = configPlace({ runtime: OPEN })
    const before = place.open()
    place.write('config.toml', text)
    return { before, after: place.open() }
  }

  test.each([
    { name: 'a bad value', text: '[log]\nlevel = "loud"\n' },
    { name: 'an unknown key', text: 'colour = 1\n' },
    { name: 'a bad name of a model', text: '[models."a\\u0007"]\ntargets = ["echo/echo"]\n' },
    { name: 'a model of no upstream', text: '[models.a]\ntargets = ["nowhere/x"]\n' },
  ])('A1 beside $name', async ({ text }) => {
    const { before, after } = rewritten(`${text}${ALLOW}`)
    expect(after.current()).toMatchObject({ log: { level: 'debug' }, server: { allow_from: ['192.0.2.0/24'] } })
    expect(after.problems()).toHaveLength(1)
    await before.reload()
    expect(before.current().server.allow_from).toEqual(['192.0.2.0/24'])
  })

  test.each(['allow_from = ["192.0.2.0/33"]', 'alow_from = ["192.0.2.0/24"]', 'max_body = "1 MiB"'])(
    'A1 nor is a new %s passed over at a start; what runs goes on',
    async (line) => {
      const { before, after } = rewritten(`[server]\n${line}\n`)
      expect(after.closed()).toBeDefined()
      await before.reload()
      expect(before.closed()).toBeUndefined()
    },
  )

  test("A1 a limit that the copy has, too, is the copy's", () => {
    const place = configPlace({ runtime: ALLOW })
    place.open()
    place.write('config.toml', '[server]\nallow_from = ["192.0.2.0/33"]\n')
    const after = place.open()
    expect([after.closed(), after.current().server.allow_from]).toEqual([undefined, ['192.0.2.0/24']])
  })
})
