import { z } from 'zod'
import { LABEL_FORM, port } from '../config/values.ts'
import { addressPattern } from '../words/address.ts'
import { boundedDuration } from './bounded.ts'
import { absolutePath, flag, INTERFACE, LABEL } from './values.ts'

const LISTEN = new RegExp(`${addressPattern.source}|${INTERFACE.source}`)

/** The key `proxy` of the spec: the reverse proxy in front of the gateway. */
export const proxy = z.strictObject({
  engine: z
    .enum(['nginx', 'caddy', 'none'])
    .default('none')
    .meta({ description: 'Reverse proxy in front of the gateway.' }),
  http_port: port.min(1).default(80).meta({ description: 'Port for HTTP; redirects to HTTPS when there is TLS.' }),
  https_port: port.min(1).default(443).meta({ description: 'Port for HTTPS.' }),
  aliases: z.array(z.string().regex(LABEL, LABEL_FORM)).default([]).meta({
    description: 'More host names below gate.domain that point to the gateway.',
  }),
  hsts: boundedDuration('How long browsers insist on HTTPS; 0s: no such header.', '0s', '3650d').default('365d'),
})

/** The key `dns` of the spec: the name server for the names of the domain. */
export const dns = z.strictObject({
  engine: z.enum(['dnsmasq', 'none']).default('none').meta({ description: 'Name server for the names of the domain.' }),
  listen: z
    .string()
    .regex(LISTEN, 'write an interface or an address')
    .optional()
    .meta({ description: 'Interface or address to answer on, and that the names point to.' }),
  port: port.min(1).default(53).meta({ description: 'UDP and TCP port.' }),
  forward: z.array(z.string().regex(addressPattern, 'write an IP address')).default([]).meta({
    description: 'Name servers for all other names; empty: other names are refused.',
  }),
})

/** The key `client` of the spec: the installer for clients. */
export const client = z.strictObject({
  enable: flag(false, 'Make an installer for clients: trust in the CA, and split DNS.'),
  ca: absolutePath('PEM file with the CA to trust; that of tls.internal_ca when absent.').optional(),
  port: port.min(1).default(8081).meta({ description: 'Port on which the proxy hands out the installer, over HTTP.' }),
})
