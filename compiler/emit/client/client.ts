import { createHash } from 'node:crypto'
import { printShell } from '../../../syntax/shell/print.ts'
import type { Deployment } from '../../ir/deployment.ts'
import { CLIENT } from '../../ir/names.ts'
import type { Emission } from '../output.ts'
import { INSTALLER } from './installer.ts'

/** The installer that people run on their own machines, and its checksum for those who want to compare it. */
export function emitClient({ client, dns, prefix, domain }: Deployment): Emission {
  if (client === undefined) return { files: [], findings: [] }
  const { origin, ca, port, directory } = client
  const installer = printShell({
    origin,
    comment: [
      'Made by gatectl from the spec. Usage: sh install-client.sh ADDRESS [--yes | --uninstall]; --help says more.',
    ],
    assignments: [
      { name: 'NAME', value: domain === undefined ? prefix : `${prefix}-${domain}` },
      { name: 'DOMAIN', value: dns === undefined ? '' : dns.domain, origin: ['gate', 'domain'] },
      { name: 'DNS_PORT', value: String(dns?.port ?? 53), origin: ['dns', 'port'] },
      { name: 'HAS_CA', value: ca === undefined ? 'no' : 'yes', origin: ['client', 'ca'] },
      { name: 'PORT', value: port === undefined ? '' : String(port), origin: ['client', 'port'] },
      { name: 'CA_FILE', value: CLIENT.ca },
    ],
    program: INSTALLER,
  })
  const sum = `${createHash('sha256').update(installer.text).digest('hex')}  ${CLIENT.installer}\n`
  const file = (name: string) => ({ path: `client/${name}`, install: `${directory}/${name}`, mode: 0o644 })
  return {
    files: [
      { ...file(CLIENT.installer), ...installer },
      { ...file(CLIENT.checksum), text: sum, origins: [origin.join('.')] },
    ],
    findings: [],
  }
}
