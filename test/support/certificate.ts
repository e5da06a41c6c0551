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
