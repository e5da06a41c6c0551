// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the form that config.toml has
import { describe, expect, test } from 'vitest'
import { compile } from '../../../compiler/compile.ts'
import { checkFile } from '../../../config/file-check.ts'
import { ConfigError } from '../../../config/problems.ts'
import { configPlace } from '../../support/config-place.ts'

const TOKEN = 'a-secret-of-the-environment'
const FILE = '[auth]\ntoken = "${AISOPOD_AUTH_TOKEN}" # of the environment\n'

describe('${NAME} in config.toml', () => {
  test.each([
    { name: 'the whole text', file: FILE, env: { AISOPOD_AUTH_TOKEN: TOKEN }, token: TOKEN },
    {
      name: 'a part, with a short name',
      file: '[auth]\ntoken = "x-${T}-y"\n',
      env: { T: TOKEN },
      token: `x-${TOKEN}-y`,
    },
    {
      name: 'a value that looks like one',
      file: '[auth]\ntoken = "${T}"\n',
      env: { T: '${AISOPOD_AUTH_TOKEN}' },
      token: '${AISOPOD_AUTH_TOKEN}',
    },
    {
      name: 'two dollars, which are none',
      file: '[auth]\ntoken = "a-literal-$${T}-text"\n',
      env: {},
      token: 'a-literal-${T}-text',
    },
    { name: 'three', file: '[auth]\ntoken = "a-literal-$$${T}-text"\n', env: {}, token: 'a-literal-$${T}-text' },
    { name: 'a dollar alone', file: '[auth]\ntoken = "$AISOPOD_AUTH_TOKEN"\n', env: {}, token: '$AISOPOD_AUTH_TOKEN' },
  ])('$name', ({ file, env, token }) => {
    expect(configPlace({ runtime: file, env }).open().current().auth.token).toBe(token)
  })

  test.each([
    { name: 'unset', text: '${NO_SUCH_VARIABLE}', env: {} },
    { name: 'empty', text: '${EMPTY_VARIABLE}', env: { EMPTY_VARIABLE: '' } },
    { name: 'malformed', text: '${NOT CLOSED BY ANYTHING', env: {} },
    { name: 'without a name', text: 'a-text-with-${}-in-it', env: {} },
  ])('$name refuses the start, even with a last good copy', ({ text, env }) => {
    const place = configPlace({ runtime: `[auth]\ntoken = "${text}"\n` })
    place.write('config.toml.last-good', '[log]\nlevel = "warn"\n')
    expect(() => place.open(env)).toThrow(ConfigError)
    expect(() => place.open(env)).toThrow(/config.toml:2:1: auth.token /)
  })

  test('an edit keeps what is written, and no listing shows the value', async () => {
    const place = configPlace({ runtime: FILE, env: { AISOPOD_AUTH_TOKEN: TOKEN } })
    const config = place.open()
    await config.set('log.level', 'debug', { force: false })
    expect(place.read()).toContain('token = "${AISOPOD_AUTH_TOKEN}" # of the environment')
    expect(JSON.stringify([config.list(), config.diff(), config.promote('spec'), place.lines])).not.toContain(TOKEN)
  })

  test('promote prints no value of a variable: a secret names it, the rest says where it belongs', () => {
    const HOST = 'a-host-of-the-environment'
    const runtime = `[upstreams.openai]\napi_key = "\${KEY}"\nbase_url = "http://\${HOST}/v1"\ntimeout = "\${T}s"\n[models.m]\ncategory = "a $\${KEY} as it is"\ntargets = [{ upstream = "openai", model = "\${KEY}" }]\n`
    const config = configPlace({ runtime, env: { KEY: TOKEN, HOST, T: '77' } }).open()
    expect(config.current().models['m']?.targets[0]?.model).toBe(TOKEN)
    const spec = config.promote('spec')
    expect(spec).toContain('api_key = { env = "KEY" }')
    expect(spec).toContain('# upstreams.openai.base_url has no place in the spec: it holds the variable HOST')
    expect(spec).toContain('category = "a ${KEY} as it is"')
    const nix = config.promote('nix')
    expect(nix).toContain('# models.m.targets holds a variable')
    for (const text of [spec, nix]) for (const value of [TOKEN, HOST, '77']) expect(text).not.toContain(value)
  })

  test('set takes a variable, keeps it as written, and refuses one that is not set', async () => {
    const place = configPlace({ env: { T: TOKEN } })
    const config = place.open()
    await config.set('auth.token', '${T}', { force: false })
    expect(place.read()).toContain('token = "${T}"')
    expect(config.current().auth.token).toBe(TOKEN)
    await expect(config.set('auth.token', '${NOPE}', { force: false })).rejects.toMatchObject({
      code: 'UNSET_VARIABLE',
    })
  })

  test.each([
    { name: 'a secret', file: FILE },
    { name: 'an address', file: '[upstreams.box]\nprovider = "custom"\nbase_url = "${BOX}"\n' },
    { name: 'a target', file: '[models.m]\ntargets = [{ upstream = "${BOX}", model = "m" }]\n' },
  ])('validate FILE knows no values, so $name that names a variable is right', ({ file }) => {
    expect(checkFile('config.toml', file)).toEqual([])
  })

  test('validate FILE refuses a malformed one', () => {
    expect(checkFile('config.toml', '[auth]\ntoken = "${A B} and more text"\n')).toMatchObject([
      { code: 'UNSET_VARIABLE' },
    ])
  })

  test.each([
    { name: 'a text', declared: { models: { m: { category: '${NAME}', targets: [{ upstream: 'echo' }] } } } },
    { name: 'an element', declared: { relay: { addresses: ['${NAME}'] }, server: { allowed_hosts: ['${NAME}'] } } },
  ])('$name of the declared file that is a variable stops the start', ({ declared }) => {
    expect(() => configPlace({ declared }).open()).toThrow('variables are not replaced in the declared file')
  })

  test.each([
    { key: 'models.m.category', spec: '[models.m]\ncategory = "${NAME}"\ntargets = [{ upstream = "echo" }]\n' },
    { key: 'upstreams.box.base_url', spec: '[upstreams.box]\nprovider = "custom"\nbase_url = "http://${HOST}/v1"\n' },
    { key: 'gate.server.allowed_hosts', spec: '[gate.server]\nallowed_hosts = ["${HOST}"]\n' },
  ])('UNEXPANDED_VARIABLE: $key of a spec names { env = … }', ({ spec }) => {
    const { diagnostics } = compile(spec, { targets: ['declared'] })
    expect(diagnostics).toContainEqual(
      expect.objectContaining({ code: 'UNEXPANDED_VARIABLE', hint: expect.stringContaining('{ env = "NAME" }') }),
    )
  })

  test('a secret of a spec that is one says so, too', () => {
    const { diagnostics } = compile('[upstreams.openai]\nprovider = "openai"\napi_key = "${KEY}"\n', {
      targets: ['declared'],
    })
    expect(diagnostics).toMatchObject([{ code: 'LITERAL_SECRET', hint: expect.stringContaining('{ env = "NAME" }') }])
  })
})
