import { z } from 'zod'
import {
  absoluteFile,
  certifiedHost,
  certifiedName,
  dnsName,
  headerSecret,
  host,
  hostPort,
  httpUrl,
  port,
  retention,
  secret,
} from './values.ts'

/**
 * Where certificates come from and how they are served. Of several sources the first counts: ACME, files, internal CA.
 * All but what is felt at once waits for a restart together, so that no rule spans what runs and what does not yet.
 */

export const CHALLENGES = ['tls-alpn-01', 'http-01', 'dns-01'] as const
export const DNS_PROVIDERS = ['cloudflare', 'rfc2136'] as const
export const TSIG_ALGORITHMS = ['hmac-sha256', 'hmac-sha384', 'hmac-sha512'] as const
export const CERTIFICATE_KEYS = ['ecdsa', 'rsa'] as const

/** How to speak to the certificate authority: what a private one, or one with accounts of its own, needs. */
const acme = z
  .strictObject({
    directory: httpUrl
      .optional()
      .meta({ description: "URL of the ACME directory; Let's Encrypt when absent.", restart: true }),
    ca: absoluteFile.optional().meta({
      description:
        'PEM file with the CA that the directory is trusted by, by its absolute path; those of the system when absent.',
      restart: true,
    }),
    key: z.enum(CERTIFICATE_KEYS).default('ecdsa').meta({ description: 'Kind of the private keys.', restart: true }),
    eab_kid: z
      .string()
      .min(1)
      .optional()
      .meta({ description: 'Key id of an external account, where the CA asks for one.', restart: true }),
    eab_hmac: headerSecret
      .optional()
      .meta({ description: 'Key of the external account, base64url.', secret: true, restart: true }),
  })
  .prefault({})

export const tls = z.strictObject({
  host: host.optional().meta({
    description: 'Address that https_port and http_port listen on; every address of the host when absent.',
    restart: true,
    narrows: true,
  }),
  https_port: port.optional().meta({
    description: 'Port for HTTPS, where there is a certificate; 443 when absent; 0 takes any free one.',
    restart: true,
  }),
  http_port: port.optional().meta({
    description: 'Port for redirects to HTTPS and for answers to http-01; absent: there is none; 0 takes any free one.',
    restart: true,
  }),
  names: z.array(certifiedHost).default([]).meta({
    description: 'Host names and addresses in the certificate of internal_ca, beside the host of server.external_url.',
    restart: true,
  }),
  files: z
    .strictObject({
      cert: absoluteFile.optional().meta({
        description: 'PEM file with the certificate chain, the own one first; read again when it changes.',
        restart: true,
      }),
      key: absoluteFile
        .optional()
        .meta({ description: 'PEM file with the private key; read again when it changes.', restart: true }),
    })
    .prefault({}),
  internal_ca: z
    .boolean()
    .default(false)
    .meta({ description: 'Issue certificates by the CA of this host.', restart: true }),
  acme,
  hsts: retention('How long browsers insist on HTTPS for the names of the certificate; 0s: no such header.').default(
    '365d',
  ),
  alarm_webhook: httpUrl.optional().meta({
    description: 'URL that is told, by POST, of a certificate that could not be renewed; it may hold a secret.',
    secret: true,
  }),
})

const dns = z
  .strictObject({
    provider: z
      .enum(DNS_PROVIDERS)
      .optional()
      .meta({ description: 'Who changes the zone: the API of Cloudflare, or a name server.', restart: true }),
    api_token: headerSecret
      .optional()
      .meta({ description: 'Token of the API, which may edit DNS of the zone.', secret: true, restart: true }),
    api: httpUrl.optional().meta({ description: 'URL of the API; that of the provider when absent.', restart: true }),
    server: hostPort
      .optional()
      .meta({ description: 'Name server that takes updates, as host:port (rfc2136).', restart: true }),
    zone: dnsName.optional().meta({
      description: 'Zone that is changed (rfc2136); of Cloudflare, it is found when absent.',
      restart: true,
    }),
    key_name: dnsName.optional().meta({ description: 'Name of the TSIG key (rfc2136).', restart: true }),
    key_secret: secret
      .optional()
      .meta({ description: 'Secret of the TSIG key, base64 (rfc2136).', secret: true, restart: true }),
    algorithm: z
      .enum(TSIG_ALGORITHMS)
      .default('hmac-sha256')
      .meta({ description: 'Algorithm of the TSIG key.', restart: true }),
  })
  .prefault({})

export const letsencrypt = z.strictObject({
  enabled: z
    .boolean()
    .default(false)
    .meta({
      description: "Get certificates by ACME, from Let's Encrypt or where tls.acme.directory says.",
      restart: true,
      spec: { none: 'certificates are asked for where the spec has gate.tls.acme' },
    }),
  email: z.email().optional().meta({ description: 'Account address.', restart: true }),
  staging: z.boolean().default(false).meta({ description: 'Use the staging directory.', restart: true }),
  domains: z.array(certifiedName).default([]).meta({ description: 'Names to certify.', restart: true }),
  challenge: z.enum(CHALLENGES).default('tls-alpn-01').meta({
    description: 'How control of the names is proven; dns-01 for names such as "*.example.org".',
    restart: true,
  }),
  dns,
})
