import { TAILSCALE } from '../../schemas/words/certificate-sources.ts'
import { askSocket } from '../../system/ask-socket.ts'
import type { Pair } from './kept.ts'
import { createRenewal } from './renewal.ts'
import type { Source, SourceParts } from './source.ts'

/** Tailscale gets the certificate itself when it has none. */
const DEADLINE_MS = 120_000

/**
 * Certificates of names such as `host.tailnet.ts.net`, from the Tailscale that runs on this host. It keeps them itself,
 * so nothing is written here.
 * @param settings its socket, and the names
 */
export function tailscaleSource(
  { names, socket }: { readonly names: readonly string[]; readonly socket: string },
  parts: SourceParts,
): Source {
  const renewals = names.map((name) =>
    createRenewal(
      {
        source: 'tailscale',
        names: [name],
        origin: () => 'tailscale',
        path: undefined,
        load: () => ({ pair: undefined, meta: undefined }),
        save: () => {},
        obtain: (_before, _isDue, signal) => askTailscale(socket, name, signal),
      },
      parts,
    ),
  )
  return {
    identities: () => renewals.map(({ identity }) => identity()).filter((identity) => identity !== undefined),
    status: () => renewals.map((renewal) => renewal.status()),
    check: async (signal) => void (await Promise.all(renewals.map((renewal) => renewal.check(signal)))),
    async renew(name, signal) {
      const renewal = renewals.find((candidate) => candidate.name === name)
      await renewal?.renew(signal)
      return renewal !== undefined
    },
    close: () => {},
  }
}

/** @see https://tailscale.com/kb/1153/enabling-https */
async function askTailscale(socketPath: string, name: string, signal: AbortSignal): Promise<Pair> {
  const path = `/localapi/v0/cert/${encodeURIComponent(name)}?type=pair`
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(DEADLINE_MS)])
  const { status, text } = await askSocket({ socketPath, host: TAILSCALE.host, path }, deadline).catch(
    (error: unknown) => {
      if (signal.aborted) throw signal.reason
      const why = error instanceof Error ? error.message : String(error)
      throw new Error(`Tailscale could not be asked at ${socketPath}: ${why}`, { cause: error })
    },
  )
  if (status === 403) {
    const hint = 'set TS_PERMIT_CERT_UID to the account of the daemon in /etc/default/tailscaled'
    throw new Error(`Tailscale does not give certificates to this account: ${hint}`)
  }
  if (status !== 200) throw new Error(`Tailscale answered with status ${status}: ${text.trim().slice(0, 300)}`)
  const blocks = text.match(/-----BEGIN [^-]+-----[^-]+-----END [^-]+-----\n?/g) ?? []
  const isKey = (block: string) => block.includes('PRIVATE KEY')
  const key = blocks.find(isKey)
  const cert = blocks.filter((block) => !isKey(block)).join('')
  if (key === undefined || cert === '') throw new Error('Tailscale answered without a certificate and its key')
  return { cert, key }
}
