import { type Kept, keepAuthority, noteReloaded, requestByHand } from '../../../host/ca/keep.ts'
import { type Host, localHost } from '../../../host/host.ts'
import type { AuthorityRequest } from '../../../schemas/deploy/authority.ts'
import { failure } from '../../failure.ts'
import type { Invocation, Run } from '../../invocation.ts'
import { converted } from '../host/deployment.ts'
import { type CaPlace, caPlace, onAuthority, source } from './place.ts'

export const run: Run = async (invocation) => {
  const { json, printJson, print } = invocation
  const host = localHost()
  const [file] = invocation.arguments
  const { request, ...place } = caPlace(invocation, host, 'ca renew', file)
  if (request === undefined && file !== undefined) {
    const hint = 'apply a spec with gate.tls.internal_ca = true first'
    throw failure('FILE_UNREADABLE', `${file}: nothing asks the CA for a certificate`, { hint })
  }
  const asked = request ?? (await converted(async () => requestByHand(host, place)))
  const { done } = await renewAt(invocation, host, { ...place, request: asked })
  if (json) printJson({ done })
  else if (done.length === 0) print('nothing to do: every certificate is good')
  return 0
}

/** Makes what is due, says it, and has the proxy read what changed. */
export async function renewAt(
  { json, print, note }: Invocation,
  host: Host,
  place: CaPlace & { readonly request: AuthorityRequest },
): Promise<Kept> {
  const kept = await onAuthority(host, place, 'ca renew', () => keepAuthority(host, place.request, source()))
  if (!json) for (const line of kept.done) print(line)
  if (kept.reload !== undefined) {
    // a proxy that waits for this very unit could not reload before it ends
    const ran = await host.run(['systemctl', '--no-block', 'try-reload-or-restart', kept.reload])
    if (ran.code === 0) noteReloaded(host, place.directory)
    else note(`${kept.reload} was not reloaded, and serves the certificate before: ${ran.stderr.trim()}`)
  }
  return kept
}
