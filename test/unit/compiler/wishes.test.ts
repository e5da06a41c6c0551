import { describe, expect, test } from 'vitest'
import { compile } from '../../../compiler/compile.ts'

const IMAGE = `example.org/engine@sha256:${'0'.repeat(64)}`
const named = (name: string, engine: string, extra: string) =>
  `[backends.${name}]\nengine = "${engine}"\nimage = "${IMAGE}"\n${extra}\n`
const custom = (extra: string) => named('b', 'custom', `notify = "started"\n${extra}`)

const diagnosed = (text: string) => compile(text, { targets: ['quadlet'] }).diagnostics
const said = (text: string) =>
  diagnosed(text)
    .filter(({ code }) => code !== 'UNPROTECTED_BACKEND')
    .map(({ code, path }) => `${code} ${path}`)
const hints = (text: string) => diagnosed(text).map(({ hint }) => hint ?? '')

/** Text of a file of the target quadlet. */
function made(text: string, name: string): string {
  const result = compile(text, { targets: ['quadlet'] })
  if (result.kind === 'refused') throw new Error(JSON.stringify(result.diagnostics))
  return result.files.find(({ path }) => path.endsWith(name))?.text ?? ''
}

describe('D3: backends that reach each other', () => {
  const other = named('other', 'custom', 'notify = "started"\nlisten = "tcp"\nport = 8888')
  const chat = (extra: string) => `${custom(`network = true\nlisten = "tcp"\n${extra}`)}${other}`

  test('a link is a name for one port of the loopback', () => {
    const text = chat('links = ["other"]\nenvironment = { URL = "http://{other}/x", OLD = "http://127.0.0.1:8888" }')
    expect(said(text)).toEqual([])
    const quadlet = made(text, '/gate-b.container')
    for (const line of [
      'Network=pasta:--map-guest-addr,none,-T,8888',
      'AddHost=other:127.0.0.1',
      'Environment=URL=http://other:8888/x',
    ])
      expect(quadlet).toContain(`${line}\n`)
  })

  test('a page has the gateway and its links, each port by itself', () => {
    const text = `${named('b', 'open-webui', 'network = true\nlinks = ["other"]')}${other}`
    expect(made(text, '/gate-b.container')).toContain('Network=pasta:--map-guest-addr,none,-T,3000,-T,8888\n')
  })

  test.each([
    { name: 'nobody', extra: 'links = ["othr"]', expected: ['UNKNOWN_NAME backends.b.links[0]'] },
    { name: 'itself', extra: 'links = ["b"]', expected: ['INVALID_VALUE backends.b.links[0]'] },
    {
      name: 'a port that is told but not reached',
      extra: 'environment = { A = "http://localhost:8888" }',
      expected: ['UNLINKED_BACKEND backends.b.environment.A'],
    },
    { name: 'a longer port', extra: 'environment = { A = "http://localhost:88880" }', expected: [] },
  ])('$name', ({ extra, expected }) => expect(said(chat(extra))).toEqual(expected))

  test.each([
    ['a socket', 'listen = "unix"'],
    ['a port that sleeps', 'listen = "tcp"\nidle_stop = "5m"'],
  ])('%s cannot be linked', (_, listen) => {
    const asleep = named('other', 'custom', `notify = "started"\n${listen}`)
    const text = `${custom('network = true\nlinks = ["other"]')}${asleep}`
    expect(said(text)).toContain('LINK_NEEDS_PORT backends.b.links[0]')
  })

  test('a link needs a network', () =>
    expect(said(`${custom('links = ["other"]')}${other}`)).toEqual(['ENGINE_NEEDS_NETWORK backends.b.links']))
})

describe('D3: the engine fetches its model', () => {
  const hub = 'hub = { token = { credential = "t" } }'
  test.each([
    ['vllm', 'o/m', 'Exec=serve o/m --served-model-name o/m'],
    ['llama-cpp', 'o/m:Q4_K_M', 'Exec=--hf-repo "o/m:Q4_K_M" --alias "o/m:Q4_K_M"'],
    ['tei', 'o/m', 'Exec=--model-id o/m --served-model-name o/m'],
    ['infinity', 'o/m', 'Exec=v2 --model-id o/m --served-model-name o/m'],
  ])('%s', (engine, model, exec) => {
    const text = named('b', engine, `model = "${model}"\n${hub}`)
    expect(said(text)).toEqual([])
    const quadlet = made(text, '/gate-b.container')
    expect(quadlet.replaceAll(`"${model}"`, model)).toContain(exec.replaceAll(`"${model}"`, model))
    expect(quadlet).toContain('Network=pasta:--map-guest-addr,none\n')
    expect(quadlet).toContain('EnvironmentFile=/run/gate/secrets/b/environment\n')
    expect(quadlet).toContain('Volume=gate-b-cache.volume:/cache\n')
    expect(quadlet).not.toContain('/var/lib/gate/models')
    expect(quadlet).toContain('TimeoutStartSec=3660s\n')
  })

  test('Ollama pulls it once it answers', () => {
    const quadlet = made(named('b', 'ollama', 'model = "llama3.2:3b"\nhub = {}'), '/gate-b.container')
    expect(quadlet).toMatch(
      /condition=healthy.*\nExecStartPost=\/usr\/bin\/podman exec gate-b ollama pull llama3\.2:3b\n/,
    )
  })

  test.each([
    ['Ollama, told of a model', named('b', 'ollama', 'model = "m"'), 'NO_EFFECT backends.b.model'],
    [
      'a token without a fetch',
      named('b', 'vllm', 'model = "m"\nsecrets = { HF_TOKEN = { credential = "t" } }'),
      'NO_EFFECT backends.b.secrets',
    ],
    ['an engine that cannot', named('b', 'whisper-cpp', 'model = "m"\nhub = {}'), 'NO_EFFECT backends.b.hub'],
    [
      'a token twice',
      named('b', 'vllm', `model = "m"\n${hub}\nsecrets = { HF_TOKEN = { credential = "t" } }`),
      'DUPLICATE_KEY backends.b.secrets.HF_TOKEN',
    ],
  ])('%s', (_, text, expected) => expect(said(text)).toEqual([expected]))
})

describe('D3: more engines, and a router', () => {
  test.each([
    ['tei', 'Exec=--model-id /models/m --served-model-name m --hostname 0.0.0.0 --port 8080'],
    ['infinity', 'Exec=v2 --model-id /models/m --served-model-name m --host 0.0.0.0 --port 7997 --url-prefix /v1'],
    ['whisper-cpp', 'Exec=--model /models/m --host 0.0.0.0 --port 8080 --inference-path /v1/audio/transcriptions'],
  ])('%s', (engine, exec) => {
    const quadlet = made(named('b', engine, 'model = "m"'), '/gate-b.container')
    expect(quadlet).toContain(`${exec}\n`)
    expect(quadlet).toContain('Volume=/var/lib/gate/models:/models:ro\n')
    expect(quadlet).toContain('HealthCmd=[')
  })

  const router = (extra: string) => named('b', 'llama-cpp', extra)
  test('a router serves a directory, with its presets', () => {
    const quadlet = made(router('router = { directory = "a", presets = "/srv/p.ini", max_loaded = 2 }'), '.container')
    expect(quadlet).toContain('Exec=--models-dir /models/a --models-preset /presets.ini --models-max 2 --host')
    expect(quadlet).toContain('Volume=/var/lib/gate/models:/models:ro\nVolume=/srv/p.ini:/presets.ini:ro\n')
  })

  test.each([
    ['the whole directory', router('router = {}'), []],
    ['by arguments', router('args = ["--models-dir", "/models"]'), []],
    ['neither', router(''), ['ENGINE_NEEDS_MODEL backends.b']],
    ['both', router('model = "m"\nrouter = {}'), ['INVALID_VALUE backends.b.model']],
    ['another engine', named('b', 'vllm', 'model = "m"\nrouter = {}'), ['NO_EFFECT backends.b.router']],
  ])('%s', (_, text, expected) => expect(said(text)).toEqual(expected))
})

describe('D3: started first, shared settings, GPUs beside groups', () => {
  const llama = (name: string, extra: string) => named(name, 'llama-cpp', `model = "m"\n${extra}`)
  test('preload starts it with its user, as a connection would', () => {
    const text = llama('b', 'idle_stop = "5m"\npreload = true')
    expect(made(text, 'default.target.d/gate-preload.conf')).toContain('Wants=gate-b-proxy.service\n')
    expect(said(llama('b', 'preload = true'))).toEqual(['NO_EFFECT backends.b.preload'])
    const two = llama('a', 'group = "g"\npreload = true') + llama('b', 'group = "g"\npreload = true')
    expect(said(two)).toEqual(['INVALID_VALUE backends.b.preload'])
  })

  test('what a backend does not say, the defaults do', () => {
    const text = `[defaults.backend]\npids = 99\nmemory = "2GiB"\n${llama('b', 'pids = 77')}`
    expect(said(text)).toEqual([])
    const quadlet = made(text, '/gate-b.container')
    expect(quadlet).toContain('PidsLimit=77\n')
    expect(quadlet).toContain('MemoryMax=2147483648\n')
    expect(said(`[defaults.backend]\npids = "x"\n${llama('b', '')}`)).toEqual(['WRONG_TYPE defaults.backend.pids'])
    const module = compile(text, { targets: ['nix'] })
    expect(module.kind === 'compiled' && module.files.find(({ path }) => path.endsWith('.nix'))?.text).toContain(
      'memory = "2GiB";',
    )
  })

  const gpu = 'gpu = { kind = "nvidia", devices = ["0"] }'
  test('a backend beside a group on its GPU', () => {
    const pair = llama('a', `${gpu}\ngroup = "g"`) + llama('b', `${gpu}\ngroup = "g"`)
    expect(said(pair)).toEqual([])
    expect(said(pair + llama('c', gpu))).toEqual(['SHARED_GPU backends.c.gpu'])
  })
})

describe('D3: sets and priorities of a group', () => {
  const llama = (name: string, extra: string) => named(name, 'llama-cpp', `model = "m"\n${extra}`)
  const member = (name: string, extra: string) => llama(name, `group = "g"\n${extra}`)
  const pair = member('a', 'together = "s"') + member('b', 'together = "s"')
  test.each([
    ['a pair beside a large one', `${pair}${member('c', 'priority = 5')}`, []],
    ['both of a pair preloaded', `${pair.replaceAll('together', 'preload = true\ntogether')}${member('c', '')}`, []],
    [
      'one of a pair and a stranger preloaded',
      pair.replace('together', 'preload = true\ntogether') + member('c', 'preload = true'),
      ['INVALID_VALUE backends.c.preload'],
    ],
    ['nothing that they give way to', pair, ['NO_EFFECT backends.a.together']],
    ['a set of one', member('a', 'together = "s"') + member('b', ''), ['NO_EFFECT backends.a.together']],
    ['a word without a group', llama('a', 'together = "s"'), ['NO_EFFECT backends.a.together']],
    ['a priority without a group', llama('a', 'priority = 1'), ['NO_EFFECT backends.a.priority']],
    ['a priority out of range', member('a', 'priority = 101') + member('b', ''), ['INVALID_VALUE backends.a.priority']],
  ])('%s', (_, text, expected) => expect(said(text)).toEqual(expected))

  test('the daemon is told', () => {
    const made = compile(`${pair}${member('c', 'priority = 5')}`, { targets: ['declared'] })
    const text = made.kind === 'compiled' ? made.files.find(({ path }) => path === 'declared/declared.json')?.text : ''
    expect(JSON.parse(text ?? '')).toMatchObject({
      backends: { a: { group: 'g', together: 's' }, b: { together: 's' }, c: { group: 'g', priority: 5 } },
    })
  })
})

describe('D3: what Compose files and swappers say', () => {
  test.each([
    ['port = "8000:8000"', 'write port = 8000 (on the loopback of the host) and container_port = 8000'],
    ['port = "127.0.0.1:80:8080"', 'write port = 80 (on the loopback of the host) and container_port = 8080'],
    ['volumes = ["/a:/b:ro"]', 'write mounts = [{ source = "/a", path = "/b" }]'],
    ['volumes = ["/a:/b"]', 'write mounts = [{ source = "/a", path = "/b", read_only = false }]'],
    ['volumes = ["data:/b"]', 'write volumes = [{ name = "data", path = "/b" }]'],
    ['mounts = ["/a:/b:ro"]', 'write mounts = [{ source = "/a", path = "/b" }]'],
    ['ports = ["8000:8000"]', 'container_port'],
    ['command = ["x"]', 'write args'],
    ['depends_on = ["x"]', 'links'],
    ['restart = "always"', 'started again'],
    ['privileged = true', 'no container is privileged'],
    ['healthcheck = {}', 'health'],
    ['ttl = 300', 'idle_stop'],
  ])('%s', (extra, hint) => expect(hints(custom(extra)).join()).toContain(hint))

  test.each(['groups', 'services', 'macros'])('a table %s', (name) =>
    expect(hints(`[${name}.x]\na = 1\n`).join()).toMatch(/backend/i),
  )

  test.each([
    ['searxng/searxng', 'docker.io/searxng/searxng'],
    ['busybox', 'docker.io/library/busybox'],
  ])('D4: an image %s has no registry', (name, full) => {
    const text = `[backends.b]\nengine = "custom"\nnotify = "started"\nimage = "${name}:1"\n`
    expect(said(text)).toEqual(['UNQUALIFIED_IMAGE backends.b.image', 'UNPINNED_IMAGE backends.b.image'])
    expect(hints(text).join()).toContain(full)
    expect(hints(text).join()).toContain(`{{.Digest}} ${name}:1`)
  })
})
