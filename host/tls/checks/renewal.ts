import { askRenewalInfo, type RenewalInfo } from '../../../pki/acme/ari.ts'
import { type Send, send } from '../../../pki/acme/request.ts'
import { LETS_ENCRYPT } from '../../../schemas/words/certificate-sources.ts'
import { spanText } from '../../../schemas/words/span.ts'
import { sh } from '../../../syntax/shell/print.ts'
import { command, type Finding, ok, skip, warn } from '../../doctor/finding.ts'
import { afterHandshake } from '../site.ts'

const DEADLINE_MS = 6_000

/** What a CA calls itself in certificates -> where it says when they shall be renewed. */
const DIRECTORIES: Readonly<Record<string, string>> = { "Let's Encrypt": LETS_ENCRYPT.directory }

export const renewal = afterHandshake(
  'renewal',
  'when the CA wants the certificate renewed (ARI, RFC 9773), where it is known whom to ask',
  async ({ chain: [leaf] }, { name, directory, ca, now }, signal) => {
    if (leaf === undefined) return []
    const issuer = /^O=(.+)$/m.exec(leaf.issuer)?.[1] ?? ''
    const asked = directory ?? DIRECTORIES[issuer]
    if (asked === undefined) return []
    const deadline = AbortSignal.any([signal, AbortSignal.timeout(DEADLINE_MS)])
    const quick: Send = (asking) => send(asking, deadline)
    try {
      const trust = ca.length === 0 ? undefined : ca.join('\n')
      const info = await askRenewalInfo({ directory: asked, ca: trust }, leaf.toString(), quick, now, deadline)
      return [info === undefined ? ok('its CA has no wish of its own') : judgeInfo(info, name, now())]
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      return [skip('when its CA wants it renewed', `could not be looked at: ${why}`)]
    }
  },
)

function judgeInfo({ window, explanation }: RenewalInfo, name: string, nowMs: number): Finding {
  const [from, to] = [window.startMs, window.endMs].map((ms) => new Date(ms).toISOString())
  const between = `between ${from} and ${to}`
  if (nowMs < window.endMs) return ok(`its CA wants it renewed ${between}`)
  const what = `its CA wanted it renewed ${spanText(nowMs - window.endMs)} ago`
  return warn(what, explanation ?? `${between}: it may be revoked soon`, command(sh`gatectl tls renew ${name}`))
}
