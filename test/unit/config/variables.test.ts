// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the form that config.toml has
import { describe, expect, test } from 'vitest'
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
})
