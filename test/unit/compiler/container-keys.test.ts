import { describe, expect, test } from 'vitest'
import { type CompileOptions, compile } from '../../../compiler/compile.ts'
import { partsOf } from '../../../compiler/ir/model-files.ts'
import type { Target } from '../../../schemas/words/targets.ts'

const IMAGE = `example.org/engine@sha256:${'0'.repeat(64)}`
const backend = (engine: string, extra: string) => `[backends.b]\nengine = "${engine}"\nimage = "${IMAGE}"\n${extra}\n`
const llama = (extra: string) => backend('llama-cpp', extra)
const custom = (extra: string) => backend('custom', `notify = "started"\n${extra}`)

const compiled = (text: string, ...targets: Target[]) => compile(text, { targets } satisfies CompileOptions)
const said = (text: string) => compiled(text, 'quadlet').diagnostics.map(({ code, path }) => `${code} ${path}`)

/** Values of a key in the container's quadlet. */
function lines(text: string, key: string): string[] {
  const result = compiled(text, 'quadlet')
  if (result.kind === 'refused') throw new Error(JSON.stringify(result.diagnostics))
  const quadlet = result.files.find(({ path }) => path.endsWith('/gate-b.container'))?.text ?? ''
  return quadlet.split('\n').flatMap((line) => (line.startsWith(`${key}=`) ? [line.slice(key.length + 1)] : []))
}

/** What of the models directory is needed; it is mounted as a whole, or not at all. */
function models(text: string): string[] {
  const result = compiled(text, 'quadlet')
  if (result.kind === 'refused') throw new Error(JSON.stringify(result.diagnostics))
  const needed = result.deployment.containers.flatMap((container) => container.models)
  const mounted = lines(text, 'Volume').filter((line) => line.startsWith('/var/lib/gate/models'))
  expect(mounted).toEqual(needed.length === 0 ? [] : ['/var/lib/gate/models:/models:ro'])
  return needed.map((path) => path.slice('/var/lib/gate/models'.length))
}

describe('D2: what belongs to a model is in its container', () => {
  test.each([
    { name: 'one file', text: llama('model = "a/m.gguf"'), expected: ['/a/m.gguf'] },
    {
      name: 'the first of three parts',
      text: llama('model = "a/m-00001-of-00003.gguf"'),
      expected: ['/a/m-00001-of-00003.gguf', '/a/m-00002-of-00003.gguf', '/a/m-00003-of-00003.gguf'],
    },
    {
      name: 'parts that only arguments name',
      text: llama('model = "m.gguf"\nargs = ["--model-draft", "/models/d-00001-of-00002.gguf"]'),
      expected: ['/d-00001-of-00002.gguf', '/d-00002-of-00002.gguf', '/m.gguf'],
    },
    {
      name: 'a projector by its path inside',
      text: llama('model = "m.gguf"\nargs = ["--mmproj", "/models/v/mmproj.gguf"]'),
      expected: ['/m.gguf', '/v/mmproj.gguf'],
    },
    {
      name: 'adapters and a template, behind "=" and ","',
      text: backend(
        'vllm',
        'model = "o/m"\nargs = ["--lora-modules", "s=/models/ad/s", "--x=/models/a,/models/b/"]\nenvironment = { T = "/models/t.jinja" }',
      ),
      expected: ['/a', '/ad/s', '/b', '/o/m', '/t.jinja'],
    },
    {
      name: 'files by name',
      text: llama('model = "m.gguf"\nfiles = { projector = "v/p.gguf", adapters = "adapters" }'),
      expected: ['/adapters', '/m.gguf', '/v/p.gguf'],
    },
    { name: 'what is inside of another', text: llama('model = "a/m"\nfiles = { all = "a" }'), expected: ['/a'] },
    { name: 'the whole directory', text: custom('args = ["--dir", "/models"]'), expected: [''] },
    {
      name: 'no path',
      text: custom('args = ["/opt/models/x", "/modelsx", "/models/../y", "/models/ä"]'),
      expected: [],
    },
    {
      name: 'models from another place',
      text: llama('model = "m.gguf"\nmounts = [{ source = "/srv/models", path = "/models" }]'),
      expected: [],
    },
    {
      name: 'a volume in the place of all',
      text: llama('model = "m.gguf"\nvolumes = [{ name = "m", path = "/models" }]'),
      expected: [],
    },
  ])('$name', ({ text, expected }) => {
    expect(said(text)).toEqual([])
    expect(models(text)).toEqual(expected)
  })

  test.each([
    ['a projector', '"--mmproj", "p.gguf"', 1],
    ['a draft behind "="', '"--model-draft=./d/m.gguf"', 0],
    ['a template', '"--chat-template-file", "t.jinja"', 1],
    ['a grammar', '"--grammar-file", "a/b.gbnf"', 1],
  ])('D2 %s whose path does not begin at the root is told of', (_, args, at) => {
    expect(said(llama(`model = "m.gguf"\nargs = [${args}]`))).toEqual([`FILE_NOT_MOUNTED backends.b.args[${at}]`])
  })

  test.each(['"--alias", "m.gguf"', '"--hf-file=m.gguf"', '"-x", "{p}.gguf"', '"--temp", "0.7"', '"a.gguf b"'])(
    'D2 %s is no such file',
    (args) => expect(said(llama(`model = "m.gguf"\nargs = [${args}]`))).toEqual([]),
  )

  test.each(['/var/lib/gate/models/p.gguf', '/root/p.gguf'])('D2 %s is not there inside', (file) => {
    expect(said(llama(`model = "m.gguf"\nargs = ["--mmproj", "${file}"]`))).toEqual([
      'FILE_NOT_MOUNTED backends.b.args[1]',
    ])
  })

  test('{name} in arguments and environment is the path inside, other braces stay', () => {
    const text = llama(
      'model = "m.gguf"\nfiles = { projector = "v/p.gguf" }\nargs = ["--mmproj", "{projector}", \'{"a":1}\', "{other}"]\nenvironment = { P = "x={projector}" }',
    )
    expect(lines(text, 'Exec').join()).toContain('--mmproj /models/v/p.gguf "{\\"a\\":1}" "{other}"')
    expect(lines(text, 'Environment')).toEqual(['P=x=/models/v/p.gguf'])
  })

  test.each([
    ['x-00002-of-00002.gguf', 2],
    ['x-00003-of-00002.gguf', 1],
    ['x-00000-of-00002.gguf', 1],
    ['x-00001-of-99999.gguf', 1],
    ['x-00001-of-00002.safetensors', 1],
  ])('%s has %d parts', (file, count) => expect(partsOf(file)).toHaveLength(count))
})

describe('D3: directories of the host', () => {
  const mount = (source: string, more = '') => custom(`mounts = [{ source = "${source}"${more} }]`)

  test.each([
    ['read-only at the same place', mount('/srv/models'), '/srv/models:/srv/models:ro'],
    ['to be written to', mount('/srv/x', ', path = "/data", read_only = false'), '/srv/x:/data'],
    ['with a label', mount('/srv/x', ', relabel = "shared"'), '/srv/x:/srv/x:ro,z'],
    ['below a home', mount('/home/me/models'), '/home/me/models:/home/me/models:ro'],
  ])('%s', (_, text, expected) => {
    expect(said(text)).toEqual([])
    expect(lines(text, 'Volume')).toContain(expected)
  })

  test.each(
    '/etc /etc/ssh /proc /proc/1/root /sys /dev /dev/sda /run /run/podman/podman.sock /run/user/1000 /var/run/docker.sock /boot /root /root/x'
      .split(' ')
      .concat('/var /var/lib /home /home/me /home/me/.ssh /usr /tmp /var/lib/containers/storage'.split(' '))
      .concat('/var/lib/gate /var/lib/gate/secrets /var/lib/gate-backends/b /var/lib/gate-deploy'.split(' ')),
  )('%s is refused', (source) => expect(said(mount(source))).toContain('FORBIDDEN_MOUNT backends.b.mounts[0].source'))

  test.each([
    ['twice at one path', 'mounts = [{ source = "/srv/a", path = "/x" }, { source = "/srv/b", path = "/x" }]'],
    ['where a volume is', 'mounts = [{ source = "/srv/a", path = "/x" }]\nvolumes = [{ name = "v", path = "/x" }]'],
  ])('%s is refused', (_, extra) => expect(said(custom(extra)).join()).toContain('DUPLICATE_MOUNT'))

  test.each(['/proc/x', '/dev/x', '/sys', '/run/engine/x'])('nothing is mounted at %s', (path) =>
    expect(said(mount('/srv/x', `, path = "${path}"`))).toEqual(['FORBIDDEN_MOUNT backends.b.mounts[0].path']),
  )
})

describe('D3, A13: who runs inside', () => {
  const rights = (text: string) => [lines(text, 'UserNS'), lines(text, 'AddCapability')]
  const ENGINE = [['keep-id:uid=1000,gid=1000'], []]
  const AS_IMAGE = [[], ['CHOWN DAC_OVERRIDE FOWNER SETGID SETUID']]

  test.each([
    ['llama.cpp', llama('model = "m"'), ENGINE],
    ['Open WebUI', backend('open-webui', 'network = true'), AS_IMAGE],
    ['custom', custom(''), ENGINE],
    ['custom, as its image says', custom('listen = "tcp"\nuser = "image"'), AS_IMAGE],
    ['Open WebUI, as user 1000', backend('open-webui', 'network = true\nuser = "engine"'), ENGINE],
  ])('%s', (_, text, expected) => expect(rights(text)).toEqual(expected))

  test('Open WebUI keeps its key in its volume, and a secret comes before it', () => {
    const text = backend('open-webui', 'network = true')
    expect(lines(text, 'Volume')).toEqual(['gate-b-data.volume:/app/backend/data'])
    expect(lines(text, 'Environment')).toContain('WEBUI_SECRET_KEY_FILE=/app/backend/data/.webui_secret_key')
    const own = `${text}secrets = { WEBUI_SECRET_KEY = { credential = "x" } }\n`
    expect(lines(own, 'EnvironmentFile')).toEqual(['/run/gate/secrets/b/environment'])
  })

  test('a volume of the spec belongs to user 1000, and one of an image to its user', () => {
    const volumes = 'volumes = [{ name = "v", path = "/v" }]'
    expect(lines(custom(volumes), 'Volume')).toContain('gate-b-v.volume:/v:U')
    expect(lines(custom(`${volumes}\nlisten = "tcp"\nuser = "image"`), 'Volume')).toEqual(['gate-b-v.volume:/v'])
  })

  test('the user of an image cannot open the socket of the account', () =>
    expect(said(custom('user = "image"'))).toEqual(['ENGINE_CANNOT_LISTEN backends.b.user']))
})

describe('D3: limits, files of settings, time zone', () => {
  test('limits hold for the container and for the manager that starts it', () => {
    const text = llama('model = "m"\nulimits = { memlock = "unlimited", nofile = 65536, stack = "64MiB" }')
    expect(lines(text, 'Ulimit')).toEqual(['memlock=-1:-1', 'nofile=65536:65536', 'stack=67108864:67108864'])
    const result = compiled(text, 'systemd')
    const files = result.kind === 'compiled' ? result.files : []
    const dropIn = files.find(({ path }) => path.endsWith('50-gate-backend.conf'))?.text
    expect(dropIn).toContain('LimitMEMLOCK=infinity\nLimitNOFILE=65536\nLimitSTACK=67108864\n')
  })

  test('a file of several lines, and one of the host', () => {
    const text = custom(
      "config_files = [{ path = '/etc/x/settings.yml', text = '''\na: 1\n\tb: \"100%\"\n''' }, { path = '/etc/x/y', source = '/etc/y.ini' }]",
    )
    expect(said(text)).toEqual([])
    expect(lines(text, 'Volume')).toEqual(
      expect.arrayContaining(['/etc/gate/backends/b/0-settings.yml:/etc/x/settings.yml:ro', '/etc/y.ini:/etc/x/y:ro']),
    )
    const result = compiled(text, 'quadlet')
    const file = result.kind === 'compiled' && result.files.find(({ install }) => install?.endsWith('0-settings.yml'))
    expect(file).toMatchObject({ text: 'a: 1\n\tb: "100%"\n', mode: 0o644, path: 'quadlet/config/b/0-settings.yml' })
  })

  test('another text is another container', () => {
    const of = (content: string) => lines(custom(`config_files = [{ path = "/x", text = "${content}" }]`), 'Label')[0]
    expect(of('a')).toMatch(/^gate\.config=[0-9a-f]{16}$/)
    expect(of('a')).not.toBe(of('b'))
  })

  test.each([
    ['no content', 'config_files = [{ path = "/x" }]', 'INVALID_VALUE backends.b.config_files[0]'],
    [
      'two contents',
      'config_files = [{ path = "/x", text = "a", source = "/srv/a" }]',
      'INVALID_VALUE backends.b.config_files[0]',
    ],
    [
      'a zero byte',
      'config_files = [{ path = "/x", text = "a\\u0000" }]',
      'CONTROL_CHARACTER backends.b.config_files[0].text',
    ],
    ['lines elsewhere', 'environment = { A = "a\\nb" }', 'CONTROL_CHARACTER backends.b.environment.A'],
    ['a zone with a space', 'time_zone = "Mars/My City"', 'INVALID_VALUE backends.b.time_zone'],
  ])('%s is refused', (_, extra, expected) => expect(said(custom(extra))).toEqual([expected]))

  test('a zone', () => expect(lines(custom('time_zone = "Europe/Berlin"'), 'Timezone')).toEqual(['Europe/Berlin']))
})

test('a Compose file says the same', () => {
  const text = custom(
    [
      'listen = "tcp"\nuser = "image"\nulimits = { memlock = "unlimited" }\ntime_zone = "Europe/Berlin"',
      'mounts = [{ source = "/srv/a", relabel = "private" }]\nconfig_files = [{ path = "/x/y.ini", text = "z" }]',
    ].join('\n'),
  )
  const result = compiled(`gate.image = "${IMAGE}"\n${text}`, 'compose')
  if (result.kind === 'refused') throw new Error(JSON.stringify(result.diagnostics))
  const file = (name: string) => result.files.find(({ path }) => path === `compose/${name}`)?.text ?? ''
  expect(file('config/b/0-y.ini')).toBe('z\n')
  for (const part of ['./config/b/0-y.ini', '/srv/a', 'selinux: "Z"', '"TZ": "Europe/Berlin"', 'soft: -1', '"SETUID"'])
    expect(file('compose.yaml')).toContain(part)
})
