import type { Run } from '../../invocation.ts'
import { fromNow } from './status.ts'

/** A CA looks at the names, and may ask to wait; the daemon has limits of its own. */
const LONGEST_RENEWAL_MS = 30 * 60_000

export const run: Run = async ({ admin, arguments: [name = ''], json, print, printJson }) => {
  const certificate = await admin.ask('POST /api/admin/tls/{name}/renew', {
    parameter: name,
    timeoutMs: LONGEST_RENEWAL_MS,
  })
  if (json) printJson(certificate)
  else if (certificate.served === undefined) print(`${certificate.name}: there is no certificate yet`)
  else {
    const { issuer, not_after } = certificate.served
    print(`${certificate.name}: until ${not_after} (${fromNow(not_after, Date.now())}), by ${issuer}`)
  }
  return 0
}
