import { join } from 'node:path'
import { run } from './programs.ts'

/** Makes a throw-away certificate for some names, its own CA at the same time. @returns paths of the PEM files */
export function throwAwayCertificate(folder: string, names: readonly string[]): { cert: string; key: string } {
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
  const subject = [
    '-subj',
    '/CN=throw-away',
    '-addext',
    `subjectAltName=${names.map((name) => `DNS:${name}`).join(',')}`,
  ]
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
  run('openssl', ['req', '-x509', ...curve, '-days', '2', ...subject, '-keyout', key, '-out', cert])
  return { cert, key }
}

/**
 * Makes a throw-away CA, and a certificate of 90 days by it, as a public one would be: with a place for revocations.
 * @returns paths of the PEM files; `cert` has the leaf alone
 */
export function issuedCertificate(
  folder: string,
  names: readonly string[],
): { readonly cert: string; readonly key: string; readonly ca: string } {
  const [ca, caKey, cert, key] = ['ca.pem', 'ca.key', 'leaf.pem', 'leaf.key'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
    string,
  ]
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
  run('openssl', ['req', '-x509', ...curve, '-days', '365', '-subj', '/CN=throw-away CA', '-keyout', caKey, '-out', ca])
  const extensions = [
    `subjectAltName=${names.map((name) => `DNS:${name}`).join(',')}`,
    'keyUsage=critical,digitalSignature',
    'extendedKeyUsage=serverAuth',
    'basicConstraints=critical,CA:FALSE',
    'crlDistributionPoints=URI:http://127.0.0.1:9/ca.crl',
  ].flatMap((extension) => ['-addext', extension])
  const by = ['-CA', ca, '-CAkey', caKey]
  const subject = ['-subj', `/CN=${names[0]}`]
  run('openssl', [
    'req',
    '-x509',
    ...curve,
    '-days',
    '90',
    ...subject,
    ...extensions,
    ...by,
    '-keyout',
    key,
    '-out',
    cert,
  ])
  return { cert, key, ca }
}
