import { isIP } from 'node:net'
import { hostname } from 'node:os'
import { createAuthority, readAuthority, trustedCertificates } from '../../../host/ca/authority.ts'
import { publish } from '../../../host/ca/keep.ts'
import { requireCovered } from '../../../host/ca/renewal.ts'
import { type Host, localHost } from '../../../host/host.ts'
import { usageFailure } from '../../failure.ts'
import type { Invocation, Run } from '../../invocation.ts'
import { rootLines } from './list.ts'
import { type CaPlace, caPlace, onAuthority, source } from './place.ts'
import { renewAt } from './renew.ts'

export const run: Run = (invocation) => initAuthority(invocation, localHost())

async function initAuthority(invocation: Invocation, host: Host): Promise<number> {
  const { flag, json, print, printJson, note } = invocation
  const place = caPlace(invocation, host, 'ca init')
  const wanted = wantedOf(invocation, place)
  if (flag('keep-trust') && !flag('replace'))
    throw usageFailure('--keep-trust says what becomes of a root that is replaced', 'add --replace')
  const made = await onAuthority(host, place, 'ca init', async () => {
    // one that is damaged cannot be read, and is replaced
    const found = flag('replace') ? undefined : readAuthority(host, place.directory)
    if (found !== undefined) {
      requireCovered(found, wanted)
      return undefined
    }
    const authority = await createAuthority(host, place.directory, wanted, source(), flag('keep-trust'))
    await publish(host, authority, place, Date.now())
    return authority
  })
  if (made === undefined) {
    note(`there is a CA in ${place.directory} already, which stays; --replace makes another`)
    if (json) printJson({ made: false, directory: place.directory })
    return 0
  }
  if (place.request !== undefined) await renewAt(invocation, host, { ...place, request: place.request })
  if (json) printJson({ made: true, directory: place.directory, certificate: trustedCertificates(made, Date.now()) })
  else {
    for (const line of rootLines(made)) print(line)
    print(`clients are to trust ${place.published}/ca.crt; gatectl ca export writes it`)
  }
  return 0
}

/** What the root is to sign for. @throws Failure USAGE */
export function wantedOf({ texts, flag }: Invocation, { request }: CaPlace) {
  const asked = { domains: texts('domain').map((name) => name.toLowerCase()), addresses: [...texts('address')] }
  const wrong = asked.addresses.find((address) => isIP(address) === 0)
  if (wrong !== undefined) throw usageFailure(`--address: "${wrong}" is not an IP address`, 'write a name as --domain')
  const numeric = asked.domains.find((domain) => isIP(domain) > 0)
  if (numeric !== undefined)
    throw usageFailure(`--domain: "${numeric}" is an IP address`, `write it as --address ${numeric}`)
  const bad = asked.domains.find(
    (name) => !/^(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/.test(name),
  )
  if (bad !== undefined) throw usageFailure(`--domain: "${bad}" is not a host name`, 'write it in ASCII, without "*."')
  if (asked.domains.length + asked.addresses.length > 0)
    return { label: asked.domains[0] ?? asked.addresses[0] ?? '', permitted: asked }
  if (request !== undefined) return request
  if (flag('dev')) return DEV
  const hint =
    'such as --domain ai.example.org, or --address 192.0.2.7; or apply a spec with gate.tls.internal_ca = true'
  throw usageFailure('say what the CA may sign for', hint)
}

/** Of a developer's CA. */
const DEV = {
  label: `dev ${hostname().slice(0, 30)}`,
  permitted: { domains: ['localhost'], addresses: ['127.0.0.1', '::1'] },
}
