import type { SpecPath } from '../../schemas/spec/path.ts'
import type { Spec } from '../../schemas/spec/spec.ts'
import { isEveryInterface } from '../../schemas/words/address.ts'
import type { Finding } from '../diagnostic.ts'
import { checkReach } from './reach.ts'

/**
 * What browsers and machines of users need: names in the certificate, an address to point to, an installer with a use.
 */
export function checkWeb(spec: Spec): Finding[] {
  return [...checkCertificate(spec), ...checkAddress(spec), ...checkReach(spec), ...checkInstaller(spec)]
}

function checkCertificate({ gate, proxy, backends }: Spec): Finding[] {
  const { domain, tls } = gate
  if (proxy.engine === 'none' || domain === undefined || tls.acme === undefined) return []
  const { domains } = tls.acme
  const served: { name: string; path: SpecPath }[] = [
    { name: domain, path: ['gate', 'domain'] },
    ...proxy.aliases.map((label, i) => ({ name: `${label}.${domain}`, path: ['proxy', 'aliases', i] })),
    ...Object.entries(backends).flatMap(([name, { expose }]) =>
      expose === undefined ? [] : [{ name: `${expose}.${domain}`, path: ['backends', name, 'expose'] }],
    ),
  ]
  return served
    .filter(({ name }) => !domains.includes(name))
    .map(({ name, path }) => ({
      code: 'UNCERTIFIED_NAME',
      severity: 'warning',
      path,
      message: `${name} is not among gate.tls.acme.domains`,
      hint: 'add it there',
    }))
}

function checkAddress({ dns }: Spec): Finding[] {
  if (dns.listen === undefined || !isEveryInterface(dns.listen)) return []
  const message = `the names would point to ${dns.listen}, which is not the address of a host`
  const hint = 'write an interface such as "eth0", or one of its addresses'
  return [{ code: 'INVALID_VALUE', path: ['dns', 'listen'], message, hint }]
}

function checkInstaller({ client, dns, gate }: Spec): Finding[] {
  const { acme, files, internal_ca } = gate.tls
  const hasOwnCa = internal_ca && acme === undefined && files === undefined
  if (!client.enable || client.ca !== undefined || dns.engine !== 'none' || hasOwnCa) return []
  const message = 'the installer would do nothing: there is no CA to trust and no name server to use'
  return [{ code: 'EMPTY_INSTALLER', path: ['client'], part: 'key', message, hint: 'set client.ca or [dns]' }]
}
