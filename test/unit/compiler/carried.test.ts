import { describe, expect, test } from 'vitest'
import { compile } from '../../../compiler/compile.ts'

const IMAGE = `example.org/engine@sha256:${'0'.repeat(64)}`
const backend = (extra: string) => `[backends.b]\nengine = "vllm"\nimage = "${IMAGE}"\nmodel = "a/b"\n${extra}\n`
const nvidia = (devices: string) => backend(`gpu = { kind = "nvidia", devices = ${devices} }`)
const both = (environment: string, secret: string) =>
  backend(`environment = { ${environment} = "x" }\nsecrets = { ${secret} = { credential = "x" } }`)

const said = (text: string) =>
  compile(text, { targets: ['quadlet'] }).diagnostics.map(({ code, path }) => `${code} ${path}`)

describe('A14: what a container cannot carry', () => {
  test.each([
    {
      name: 'a lone semicolon',
      text: backend('args = ["a", ";", "b"]'),
      expected: ['INVALID_VALUE backends.b.args[1]'],
    },
    { name: 'a semicolon at the end', text: backend('args = [";"]'), expected: ['INVALID_VALUE backends.b.args[0]'] },
    { name: 'a semicolon in a word', text: backend('args = ["a;b", ";c", "\\\\;"]'), expected: [] },
    {
      name: 'a variable in both',
      text: both('TOKEN', 'TOKEN'),
      expected: ['DUPLICATE_KEY backends.b.environment.TOKEN'],
    },
    { name: 'variables that differ in case', text: both('token', 'TOKEN'), expected: [] },
    { name: 'a device twice', text: nvidia('["0", "0"]'), expected: ['INVALID_VALUE backends.b.gpu.devices[1]'] },
    { name: 'all and one more', text: nvidia('["all", "1"]'), expected: ['INVALID_VALUE backends.b.gpu.devices'] },
    { name: 'all twice', text: nvidia('["all", "all"]'), expected: ['INVALID_VALUE backends.b.gpu.devices'] },
    {
      name: 'a device twice, once with a zero in front',
      text: nvidia('["0", "00"]'),
      expected: ['INVALID_VALUE backends.b.gpu.devices[1]'],
    },
    {
      name: 'a variable that is the token of hub as well',
      text: backend('network = true\nhub = { token = { credential = "t" } }\nenvironment = { HF_TOKEN = "x" }'),
      expected: ['DUPLICATE_KEY backends.b.environment.HF_TOKEN'],
    },
    ...['.', '..', '...'].map((name) => ({
      name: `a credential called ${name}`,
      text: backend(`secrets = { TOKEN = { credential = "${name}" } }`),
      expected: name === '...' ? [] : ['INVALID_VALUE backends.b.secrets.TOKEN.credential'],
    })),
    { name: 'a UUID that begins with zeros', text: nvidia('["GPU-00aa"]'), expected: [] },
    { name: 'two devices', text: nvidia('["0", "1"]'), expected: [] },
  ])('$name', ({ text, expected }) => expect(said(text)).toEqual(expected))
})

describe('A16: keys in the clear', () => {
  const domain = 'gate.domain = "ai.example.org"\n'
  const clear = 'PUBLIC_WITHOUT_TLS proxy.engine'
  test.each([
    { name: 'nginx without TLS', text: `${domain}proxy.engine = "nginx"`, expected: [clear] },
    { name: 'Caddy without TLS', text: `${domain}proxy.engine = "caddy"`, expected: [clear] },
    { name: 'a CA of the host', text: `${domain}proxy.engine = "caddy"\ngate.tls.internal_ca = true`, expected: [] },
    { name: 'no proxy', text: domain, expected: [] },
  ])('$name', ({ text, expected }) => expect(said(text)).toEqual(expected))
})
