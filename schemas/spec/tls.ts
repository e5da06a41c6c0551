import { z } from 'zod'
import { CERTIFICATE_KEYS, CHALLENGES, DNS_PROVIDERS, TSIG_ALGORITHMS } from '../config/tls.ts'
import { certifiedHost, certifiedName, dnsName, host, hostPort, httpUrl, port } from '../config/values.ts'
import { boundedDuration } from './bounded.ts'
import { absolutePath, flag, secret } from './values.ts'

const dns = z.strictObject({
  provider: z
    .enum(DNS_PROVIDERS)
    .meta({ description: 'Who changes the zone: the API of Cloudflare, or a name server (RFC 2136).' }),
  api_token: secret('Token of the API, which may edit DNS of the zone (cloudflare).').optional(),
  api: httpUrl.optional().meta({ description: 'URL of the API; that of the provider when absent.' }),
  server: hostPort
    .optional()
    .meta({ description: 'Name server that takes updates, such as "192.0.2.53:53" (rfc2136).' }),
  zone: dnsName.optional().meta({ description: 'Zone that is changed, such as "example.org" (rfc2136).' }),
  key_name: dnsName.optional().meta({ description: 'Name of the TSIG key (rfc2136).' }),
  key_secret: secret('Secret of the TSIG key, base64 (rfc2136).').optional(),
  algorithm: z
    .enum(TSIG_ALGORITHMS)
    .default('hmac-sha256')
    .meta({ description: 'Algorithm of the TSIG key (rfc2136).' }),
})

const acme = z.strictObject({
  email: z.email().meta({ description: 'Account address.' }),
  domains: z.array(certifiedName).min(1).meta({ description: 'Names to certify.' }),
  challenge: z
    .enum(CHALLENGES)
    .default('tls-alpn-01')
    .meta({ description: 'How control of the names is proven; dns-01 for names such as "*.example.org".' }),
  staging: flag(false, 'Use the staging directory.'),
  directory: httpUrl.optional().meta({ description: "URL of the ACME directory; Let's Encrypt when absent." }),
  ca: absolutePath(
    'PEM file with the CA that the directory is trusted by, by its absolute path; those of the system when absent.',
  ).optional(),
  key: z.enum(CERTIFICATE_KEYS).default('ecdsa').meta({ description: 'Kind of the private keys.' }),
  eab_kid: z
    .string()
    .min(1)
    .optional()
    .meta({ description: 'Key id of an external account, where the CA asks for one.' }),
  eab_hmac: secret('Key of the external account, base64url.').optional(),
  dns: dns.optional().meta({ description: 'Whose zone the challenge dns-01 writes to.' }),
})

/**
 * The table `gate.tls`. What says how certificates are served (host, https_port, http_port, names, hsts) is for a
 * gateway without [proxy], which has keys of its own for it.
 */
export const tls = z.strictObject({
  acme: acme.optional().meta({ description: 'Certificates by ACME; comes first when several ways are set.' }),
  files: z
    .strictObject({
      cert: absolutePath('PEM file with the certificate chain.'),
      key: absolutePath('PEM file with the private key.'),
    })
    .optional()
    .meta({ description: 'Certificate from files; comes second.' }),
  internal_ca: flag(false, 'Certificates by a CA of this host; comes third. Without any: plain HTTP.'),
  host: host
    .optional()
    .meta({ description: 'Address that https_port and http_port listen on; every address when absent.' }),
  https_port: port.min(1).default(443).meta({ description: 'Port for HTTPS, where there is no [proxy].' }),
  http_port: z
    .union([port.min(1), z.literal('off')], { error: 'write a port from 1 to 65535, or "off"' })
    .default(80)
    .meta({ description: 'Port for redirects to HTTPS and for answers to http-01, where there is no [proxy].' }),
  names: z.array(certifiedHost).default([]).meta({
    description: 'More host names and addresses in the certificate of internal_ca, beside gate.domain and its aliases.',
  }),
  hsts: boundedDuration(
    'How long browsers insist on HTTPS, where there is no [proxy]; 0s: no such header.',
    '0s',
    '3650d',
  ).default('365d'),
  alarm_webhook: secret(
    'URL that is told of a certificate that could not be renewed. Unless gate.network says otherwise, it may be at any public address.',
  ).optional(),
})
