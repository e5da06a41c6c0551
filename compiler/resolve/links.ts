import type { SpecPath } from '../../schemas/spec/path.ts'
import type { BackendSpec, Spec } from '../../schemas/spec/spec.ts'
import { suggestion } from '../../schemas/words/nearest.ts'
import { listenOf } from '../catalog/engines.ts'
import type { Finding } from '../diagnostic.ts'

/** Backends that reach each other, by a link or by a port that they do not have. */
export function checkLinks({ backends }: Spec): Finding[] {
  const byPort = new Map(
    Object.entries(backends).flatMap(([name, { port }]) => (typeof port === 'number' ? [[port, name] as const] : [])),
  )
  return Object.entries(backends).flatMap(([name, backend]) => {
    const path = ['backends', name]
    return [
      ...backend.links.flatMap((link, i) => checkLink(backends, name, link, [...path, 'links', i])),
      ...checkNetwork(backend, path),
      ...unlinked(backend, name, byPort),
    ]
  })
}

function checkLink(backends: Spec['backends'], own: string, link: string, path: SpecPath): Finding[] {
  const target = Object.hasOwn(backends, link) ? backends[link] : undefined
  if (target === undefined) {
    const hint = suggestion(link, Object.keys(backends), 'backend')
    return [{ code: 'UNKNOWN_NAME', path, message: `there is no backend "${link}"`, hint }]
  }
  if (link === own)
    return [{ code: 'INVALID_VALUE', path, message: 'a backend needs no link to itself', hint: 'remove it' }]
  if (listenOf(target) === 'tcp' && target.idle_stop === undefined && target.group === undefined) return []
  const message = `"${link}" is reached by its socket alone, which only the gateway may open`
  const hint = 'write listen = "tcp" there, without idle_stop and group; models are reached through the gateway'
  return [{ code: 'LINK_NEEDS_PORT', path, message, hint }]
}

function checkNetwork({ links, network, hub }: BackendSpec, path: SpecPath): Finding[] {
  if (links.length === 0 || network || hub !== undefined) return []
  const message = 'a backend without a network reaches no other'
  return [{ code: 'ENGINE_NEEDS_NETWORK', path: [...path, 'links'], message, hint: 'write network = true' }]
}

/** What Compose files say: in a container of Gate nothing else is on the loopback. */
function unlinked(
  { environment, args, links }: BackendSpec,
  own: string,
  byPort: ReadonlyMap<number, string>,
): Finding[] {
  const texts = [
    ...Object.entries(environment).map(([name, text]) => ({ text, at: ['environment', name] })),
    ...args.map((text, i) => ({ text, at: ['args', i] })),
  ]
  return texts.flatMap(({ text, at }): Finding[] => {
    const port = /(?:127\.0\.0\.1|localhost|\[::1\]):(\d{1,5})(?!\d)/.exec(text)?.[1]
    const other = port === undefined ? undefined : byPort.get(Number(port))
    if (other === undefined || other === own || links.includes(other)) return []
    const message = `port ${port} is "${other}" on the host, and nothing answers there in this container`
    const hint = `write links = ["${other}"]`
    return [{ code: 'UNLINKED_BACKEND', severity: 'warning', path: ['backends', own, ...at], message, hint }]
  })
}
