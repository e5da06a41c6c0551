import { existsSync, readFileSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { addressOf, isLoopback } from '../../../schemas/words/address.ts'
import { defaultBaseUrl, isProvider } from '../../../schemas/words/providers.ts'
import { letsThrough } from '../../../syntax/nftables/read.ts'

/**
 * What to say of a key of an upstream that leads where the rules of a deployed host let no daemon connect to: they come
 * with the spec, and no edit changes them.
 * @param sockets where the daemon may be, in the order in which they are tried
 * @param root directory that holds `etc`; "/" but in tests
 */
export function egressNote(key: string, value: string, sockets: readonly string[], root = '/'): string | undefined {
  const socket = sockets.find((path) => existsSync(path)) ?? ''
  const url = urlOf(key, value)
  if (url === null) return undefined
  const prefix = basename(dirname(socket))
  const table = readRules(`${root}etc/${prefix}/egress.nft`)
  const port = Number(url.port || (url.protocol === 'http:' ? 80 : 443))
  const host = url.hostname
  const place = { address: addressOf(host), port, isThisHost: isLoopback(host) }
  if (table === undefined || letsThrough(table, place)) return undefined
  return `the rules of this host keep the daemon from ${url.host}: add it to gate.network.allow in the spec, or name the upstream there; then run gatectl apply`
}

function urlOf(key: string, value: string): URL | null {
  const [top, name, inner, ...more] = key.split('.')
  if (!['upstreams', 'backends'].includes(top ?? '') || name === undefined || more.length > 0) return null
  if (inner === 'base_url') return URL.parse(value)
  return inner === 'provider' && isProvider(value) ? URL.parse(defaultBaseUrl(value) ?? '') : null
}

function readRules(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined // not deployed, or "any" is allowed
  }
}
