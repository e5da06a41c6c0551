import { z } from 'zod'
import { localServerPattern } from '../words/address.ts'
import { certifiedHostName } from './values.ts'

/** One entry of `relay.backends`: a server of this host or its network that visitors of some names are passed on to. */
export const relayBackend = z.strictObject({
  names: z
    .array(certifiedHostName)
    .min(1, 'name a host, such as "photos.example.net"')
    .max(16)
    .meta({ description: 'Host names that point to the relay, as in relay.names; the server has their certificates.' }),
  address: z
    .string()
    .regex(
      localServerPattern,
      'write a loopback or private address with its port, such as "127.0.0.1:8443", or "unix:/run/web/tls.sock"',
    )
    .meta({ description: 'Server that ends their TLS: loopback or private address with port, or "unix:/path".' }),
  proxy_protocol: z.enum(['v2', 'v1', 'off']).default('v2').meta({
    description: 'Version of the PROXY header that tells the server the address of each visitor.',
  }),
})
export type RelayBackend = z.output<typeof relayBackend>

/** Visitors of one name go to one place. @returns names that appeared before, by their paths below `relay` */
export function repeatedNames(relay: {
  readonly names: readonly string[]
  readonly backends: readonly Pick<RelayBackend, 'names'>[]
}): { readonly name: string; readonly path: readonly (string | number)[] }[] {
  const all = [
    ...relay.names.map((name, i) => ({ name, path: ['names', i] })),
    ...relay.backends.flatMap(({ names }, b) => names.map((name, i) => ({ name, path: ['backends', b, 'names', i] }))),
  ]
  return all.filter(({ name }, at) => all.findIndex((other) => other.name === name) !== at)
}

export const relayBackends = z.array(relayBackend).max(16).default([]).meta({
  description: 'Local servers with certificates of their own that visitors of their names are passed on to.',
})
