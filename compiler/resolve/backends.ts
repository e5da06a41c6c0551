import { durationMs } from '../../schemas/config/values.ts'
import type { SpecPath } from '../../schemas/spec/path.ts'
import type { BackendSpec, Spec } from '../../schemas/spec/spec.ts'
import { ENGINE_TRAITS, listenOf, startPeriodMs, userOf } from '../catalog/engines.ts'
import type { Finding } from '../diagnostic.ts'
import { isPublished } from '../ir/allocation.ts'
import { checkContainer } from './container.ts'
import { checkGroups } from './groups.ts'
import { checkLinks } from './links.ts'
import { checkMounts } from './mounts.ts'
import { checkWishes } from './wishes.ts'

/** What each backend asks of its engine is something that the engine can do. */
export function checkBackends(spec: Spec): Finding[] {
  const each = Object.entries(spec.backends).flatMap(([name, backend]) => [
    ...checkBackend(backend, ['backends', name]),
    ...checkProtected(backend, ['backends', name], isPublished(spec, name)),
  ])
  return [...each, ...checkExposed(spec), ...checkGroups(spec), ...checkLinks(spec)]
}

function checkBackend(backend: BackendSpec, path: SpecPath): Finding[] {
  return [
    ...checkImage(backend, path),
    ...checkUid(backend, path),
    ...checkEngine(backend, path),
    ...checkHealth(backend, path),
    ...checkListen(backend, path),
    ...checkMounts(backend, path),
    ...checkUseless(backend, path),
    ...checkContainer(backend, path),
    ...checkWishes(backend, path),
  ]
}

/** Keys that are written and reach nothing. */
function checkUseless(backend: BackendSpec, path: SpecPath): Finding[] {
  const { engine, api_key, model, container_port, port } = backend
  const { isUpstream } = ENGINE_TRAITS[engine]
  const isUnix = listenOf(backend) === 'unix'
  const wanted: readonly (readonly [boolean, string, string, string])[] = [
    [
      !isUpstream && api_key !== undefined,
      'api_key',
      `no client presents a key to ${engine}`,
      'remove it; a key that the app needs belongs in secrets',
    ],
    [!isUpstream && model !== undefined, 'model', `${engine} serves no model`, 'remove it'],
    [
      isUnix && container_port !== undefined,
      'container_port',
      'this backend listens on a Unix socket',
      'remove it, or write listen = "tcp"',
    ],
    [
      isUnix && port !== undefined,
      'port',
      'this backend listens on a Unix socket',
      'remove it, or write listen = "tcp"',
    ],
  ]
  return wanted
    .filter(([isWritten]) => isWritten)
    .map(([, key, message, hint]) => ({ code: 'NO_EFFECT', severity: 'warning', path: [...path, key], message, hint }))
}

/** useradd counts upwards from 1000; a host with this many login accounts is not run from one spec. */
const PEOPLE_BELOW = 10_000

function checkUid({ uid }: BackendSpec, path: SpecPath): Finding[] {
  if (uid === undefined || uid >= PEOPLE_BELOW) return []
  const message = `${uid} may be the user id of a person: login accounts get ids from 1000 on`
  const hint = 'remove uid, which is then chosen from 40000 on and kept in gate.lock.json'
  return [{ code: 'LOGIN_UID', severity: 'warning', path: [...path, 'uid'], message, hint }]
}

function checkImage({ image }: BackendSpec, path: SpecPath): Finding[] {
  const unqualified = checkRegistry(image, [...path, 'image'])
  if (image.includes('@sha256:')) return unqualified
  const hint = `write it as name@sha256:…; "podman image inspect --format {{.Digest}} ${image}" shows the digest`
  return [
    ...unqualified,
    {
      code: 'UNPINNED_IMAGE',
      severity: 'warning',
      path: [...path, 'image'],
      message: 'a tag can change what runs',
      hint,
    },
  ]
}

/** The first part of a name is a registry when it looks like a host. */
function checkRegistry(image: string, path: SpecPath): Finding[] {
  const [first = '', ...more] = image.split('/')
  if (more.length > 0 && (/[.:]/.test(first) || first === 'localhost')) return []
  const message = 'podman asks no registry for an image whose name has none'
  const hint = `write "docker.io/${more.length === 0 ? 'library/' : ''}${image}", or the registry that has it`
  return [{ code: 'UNQUALIFIED_IMAGE', severity: 'warning', path, message, hint }]
}

function checkEngine({ engine, model, router, args, gpu, network }: BackendSpec, path: SpecPath): Finding[] {
  const traits = ENGINE_TRAITS[engine]
  const findings: Finding[] = []
  if (!traits.gpus.includes(gpu.kind)) {
    const message = `the engine ${engine} cannot use a GPU of kind ${gpu.kind}`
    findings.push({
      code: 'GPU_MISMATCH',
      path: [...path, 'gpu', 'kind'],
      message,
      hint: `it can use: ${traits.gpus.join(', ')}`,
    })
  }
  if (traits.needsModel && model === undefined && router === undefined && !isRouted(args))
    findings.push({
      code: 'ENGINE_NEEDS_MODEL',
      path,
      part: 'key',
      message: `the engine ${engine} needs the key "model"`,
    })
  if (traits.needsNetwork && !network) {
    const hint = 'write network = true'
    const message = `${engine} reaches the gateway over the network, which backends do not have by default`
    findings.push({ code: 'ENGINE_NEEDS_NETWORK', path: [...path, 'engine'], message, hint })
  }
  return findings
}

/** llama.cpp's own options for it. */
const isRouted = (args: readonly string[]): boolean => args.some((word) => /^--models-(?:dir|preset)(?:=|$)/.test(word))

function checkHealth(backend: BackendSpec, path: SpecPath): Finding[] {
  const { engine, notify, health, start_timeout, pull_timeout } = backend
  const findings: Finding[] = []
  if (engine === 'custom' && notify === 'healthy' && health.command === undefined) {
    const hint = 'add health.command, or write notify = "started"'
    const message = 'this backend counts as started once it is healthy, but it has no health check'
    findings.push({ code: 'MISSING_HEALTH_COMMAND', path, part: 'key', message, hint })
  }
  const startMs = durationMs(health.start_period ?? `${startPeriodMs(backend)}ms`)
  const neededMs = startMs + durationMs(pull_timeout)
  if (start_timeout !== undefined && durationMs(start_timeout) <= neededMs) {
    const message = `start_timeout must exceed health.start_period + pull_timeout (${neededMs / 1000}s)`
    findings.push({
      code: 'START_TIMEOUT_TOO_SHORT',
      path: [...path, 'start_timeout'],
      message,
      hint: 'systemd would stop a container that is still loading its model',
    })
  }
  return findings
}

function checkListen(backend: BackendSpec, path: SpecPath): Finding[] {
  const { engine, listen } = backend
  const traits = ENGINE_TRAITS[engine]
  if (listen !== undefined && !traits.listen.includes(listen)) {
    const message = `the engine ${engine} cannot listen on ${listen === 'unix' ? 'a Unix socket' : 'TCP'}`
    return [
      {
        code: 'ENGINE_CANNOT_LISTEN',
        path: [...path, 'listen'],
        message,
        hint: `write listen = "${traits.listen[0]}"`,
      },
    ]
  }
  if (listenOf(backend) === 'unix' && userOf(backend) === 'image') {
    const message = "the user of an image cannot make a socket in a directory of the backend's account"
    return [{ code: 'ENGINE_CANNOT_LISTEN', path: [...path, 'user'], message, hint: 'write listen = "tcp"' }]
  }
  return []
}

function checkProtected({ engine, port, api_key }: BackendSpec, path: SpecPath, isOpen: boolean): Finding[] {
  const { keyVariable, ownLogin } = ENGINE_TRAITS[engine]
  if (!isOpen || keyVariable !== undefined || ownLogin) return []
  const message = 'every local user can use this backend: it has a port on the loopback and checks no key'
  const hint =
    api_key !== undefined
      ? 'the engine ignores api_key'
      : port === undefined
        ? 'the port is there for expose, or for links of another backend'
        : 'remove port: the gateway needs none'
  return [{ code: 'UNPROTECTED_BACKEND', severity: 'warning', path, part: 'key', message, hint }]
}

function checkExposed(spec: Spec): Finding[] {
  return Object.entries(spec.backends).flatMap(([name, backend]): Finding[] => {
    const { expose, idle_stop, group } = backend
    const path = ['backends', name, 'expose']
    if (expose === undefined) return []
    if (spec.gate.domain === undefined)
      return [{ code: 'MISSING_DOMAIN', path, message: 'this backend is exposed under gate.domain, which is not set' }]
    if (listenOf(backend) === 'unix' || idle_stop !== undefined || group !== undefined) {
      const message = 'the proxy cannot open the socket of a backend, which only the gateway may open'
      return [{ code: 'EXPOSE_NEEDS_PORT', path, message, hint: 'use listen = "tcp" and neither idle_stop nor group' }]
    }
    if (spec.proxy.engine !== 'none') return []
    return [
      { code: 'EXPOSED_WITHOUT_PROXY', path, message: 'no proxy would serve this name', hint: 'set proxy.engine' },
    ]
  })
}
