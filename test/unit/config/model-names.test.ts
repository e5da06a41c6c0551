import { parse } from 'smol-toml'
import { describe, expect, test } from 'vitest'
import { compile } from '../../../compiler/compile.ts'
import { environmentName } from '../../../schemas/words/key-names.ts'
import { keyPathText } from '../../../schemas/words/key-path.ts'
import { withTargetTables } from '../../../schemas/words/target-text.ts'
import { configPlace, refusal } from '../../support/config-place.ts'

const NAMES = ['gpt-4.1', 'qwen2.5:7b', 'GPT-4o', 'org/model', 'a b', '漢字', 'quo"ted', "o'clock", '-', '4']
const soft = { force: false }
const TARGETS = ['echo/gpt-5', 'echo']
const PARSED = [
  { upstream: 'echo', model: 'gpt-5', weight: 1 },
  { upstream: 'echo', weight: 1 },
]

describe('B8: names of virtual models are what clients write', () => {
  test.each(NAMES)('B8 %s is set, explained, listed, promoted and removed', async (name) => {
    const place = configPlace()
    const config = place.open()
    const key = keyPathText(['models', name, 'targets'])
    const { changed } = await config.set(key, config.readText(key, JSON.stringify(TARGETS)), soft)
    expect(changed).toEqual([key])
    expect(config.current().models[name]?.targets).toEqual(PARSED)
    expect(parse(place.read() ?? '')).toEqual({ models: { [name]: { targets: TARGETS } } })
    expect(config.explain(key)).toMatchObject({ key, winner: 'runtime', value: PARSED })
    expect(config.list().map((one) => one.key)).toContain(key)
    expect(config.diff()).toMatchObject([{ key }])
    expect(place.open().current().models[name]?.targets).toEqual(PARSED)

    const written = config.promote('spec')
    const compiled = compile(written, { targets: ['declared'] })
    if (compiled.kind === 'refused') expect.unreachable(JSON.stringify(compiled.diagnostics))
    else
      expect(
        JSON.parse(compiled.files.find(({ path }) => path.endsWith('declared.json'))?.text ?? '').models[name],
      ).toMatchObject({
        targets: [{ model: 'gpt-5' }, {}],
      })
    expect(config.promote('nix')).toContain('services.gate-daemon.settings.models.')

    expect((await config.unset(keyPathText(['models', name]))).changed).toEqual([key])
    expect(config.current().models).toEqual({})
  })

  test.each([
    { name: '', why: 'empty' },
    { name: 'a\nb', why: 'a line break' },
    { name: 'a\u0000', why: 'NUL' },
    { name: '\u2028', why: 'a line separator' },
    { name: 'x'.repeat(201), why: '201 characters' },
    { name: '漢'.repeat(67), why: '201 bytes' },
    { name: 'constructor', why: 'a meaning in JavaScript' },
  ])('B8 a name with $why is refused everywhere', async ({ name }) => {
    const models = Object.fromEntries([[name, { targets: TARGETS }]])
    const config = configPlace().open()
    const set = config.set(keyPathText(['models', name, 'targets']), TARGETS, soft)
    await expect(set).rejects.toMatchObject({ code: expect.stringMatching(/UNKNOWN_KEY|INVALID_NAME/) })
    expect(refusal(() => configPlace({ env: { GATE_MODELS: JSON.stringify(models) } }).open())).not.toEqual([])
    expect(refusal(() => configPlace({ declared: JSON.stringify({ models }) }).open())).not.toEqual([])
    expect(compile(JSON.stringify({ models }), { targets: ['declared'] }).kind).toBe('refused')
  })

  test('B8 names that differ only in upper and lower case are refused', async () => {
    const config = configPlace({ runtime: '[models.gpt-4o]\ntargets = ["echo"]\n' }).open()
    const set = config.set('models.GPT-4o.targets', TARGETS, soft)
    await expect(set).rejects.toMatchObject({ code: 'CONFLICTING_NAMES' })
    await config.set('models."gpt-4.o".targets', TARGETS, soft)
    await config.set('models."gpt_4-o".targets', TARGETS, soft)
  })

  test('B8 a dot that was not quoted is told of', async () => {
    const config = configPlace().open()
    const set = config.set('models.gpt-4.1.targets', TARGETS, soft)
    await expect(set).rejects.toMatchObject({ code: 'UNKNOWN_KEY' })
    await expect(set).rejects.toThrow('models."gpt-4.1".targets')
  })
})

describe('B8: names of models in the environment', () => {
  test.each(NAMES)('B8 %s in GATE_MODELS, as JSON', (name) => {
    const models = Object.fromEntries([[name, { targets: TARGETS }]])
    const config = configPlace({ env: { GATE_MODELS: JSON.stringify(models) } }).open()
    expect(config.current().models[name]?.targets).toEqual(PARSED)
  })

  test.each(['gpt-4.1', 'qwen2.5:7b', 'GPT-4o', 'org/model'])(
    'B8 a variable reaches %s, which another layer has',
    (name) => {
      const variable = environmentName(['models', name, 'strategy'])
      expect(variable).toMatch(/^[A-Z0-9_]+$/)
      const runtime = `[models.${keyPathText([name])}]\ntargets = ["echo"]\n`
      const config = configPlace({ runtime, env: { [variable]: 'latency' } }).open()
      expect(Object.entries(config.current().models).map(([known, { strategy }]) => [known, strategy])).toEqual([
        [name, 'latency'],
      ])
    },
  )

  test('B8 a variable that could mean two of them is refused, and names the form that cannot', () => {
    const runtime = '[models."gpt-4.1"]\ntargets = ["echo"]\n[models.gpt-4-1]\ntargets = ["echo"]\n'
    const problems = refusal(() => configPlace({ runtime, env: { GATE_MODELS__GPT_4_1__STRATEGY: 'latency' } }).open())
    expect(problems).toMatchObject([{ code: 'UNKNOWN_VARIABLE', hint: expect.stringContaining('GATE_MODELS={') }])
    expect(problems[0]?.message).toContain('models."gpt-4.1".strategy or models.gpt-4-1.strategy')
  })
})

describe('C4: a target is a text', () => {
  test.each([
    { name: 'config.toml', given: { runtime: '[models.fast]\ntargets = ["echo/gpt-5", "echo"]\n' } },
    { name: 'JSON of a variable', given: { env: { GATE_MODELS__FAST__TARGETS: '["echo/gpt-5", "echo"]' } } },
    { name: 'texts between commas', given: { env: { GATE_MODELS__FAST__TARGETS: 'echo/gpt-5, echo' } } },
    { name: 'the declared file', given: { declared: { models: { fast: { targets: TARGETS } } } } },
  ])('C4 in $name', ({ given }) => {
    expect(configPlace(given).open().current().models['fast']?.targets).toEqual(PARSED)
  })

  test.each([
    { name: 'an unknown upstream', target: 'ecko/gpt-5', code: 'UNKNOWN_UPSTREAM' },
    { name: 'no model after the slash', target: 'echo/', code: 'INVALID_VALUE' },
    { name: 'no upstream before it', target: '/gpt-5', code: 'INVALID_VALUE' },
    { name: 'nothing', target: '', code: 'INVALID_VALUE' },
    { name: 'a number', target: 5, code: 'WRONG_TYPE' },
  ])('C4 $name is refused', async ({ target, code }) => {
    const set = configPlace().open().set('models.fast.targets', [target], soft)
    await expect(set).rejects.toMatchObject({ code })
  })

  test('C4 in a spec a text means the backend, or the upstream, of that name', () => {
    const models = { m: { targets: ['box/a/b', 'openai', { upstream: 'x' }] } }
    expect(withTargetTables({ models }, new Set(['box']))).toEqual({
      models: { m: { targets: [{ backend: 'box', model: 'a/b' }, { upstream: 'openai' }, { upstream: 'x' }] } },
    })
    for (const values of [{}, { models: 1 }, { models: { m: 1 } }, { models: { m: { targets: 'x' } } }, [], null])
      expect(withTargetTables(values)).toEqual(values)
  })
})
