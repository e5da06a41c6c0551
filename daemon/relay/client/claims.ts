import type { Log } from '../../../schemas/words/log.ts'
import type { Tunnel } from './tunnel.ts'

export type ClaimSettings = {
  /** Labels below the relay's domain, and host names elsewhere. */
  readonly names: readonly string[]
  readonly invite: string | undefined
}

/** A name that is wanted and not given. */
export type Refused = { readonly name: string; readonly result: string; readonly detail: string | undefined }

type ClaimParts = {
  readonly nodeId: string
  /** Tunnels that can be asked. */
  readonly open: () => readonly Tunnel[]
  readonly log: Log
}

/** A registry that was lost may be back, and a record of DNS there. */
const AGAIN_MS = 300_000

/** Asks relays for the names that are wanted. */
export function createClaims({ nodeId, open, log }: ClaimParts) {
  let settings: ClaimSettings = { names: [], invite: undefined }
  const refused = new Map<string, Refused>()
  let isAsking = false

  /** Whether a name, as it is written, is among the host names that lead here. */
  function isGiven(name: string, names: readonly string[]): boolean {
    if (name.includes('.')) return names.includes(name)
    const own = names.find((host) => host.startsWith(`${nodeId}.`))
    return own !== undefined && names.includes(`${name}${own.slice(nodeId.length)}`)
  }

  async function ask(): Promise<void> {
    for (const name of settings.names) {
      const [tunnel] = open()
      if (tunnel === undefined) return
      if (isGiven(name, tunnel.names())) {
        refused.delete(name)
        continue
      }
      const { result, detail } = await tunnel.claim(name, settings.invite)
      if (result === 'ok') {
        refused.delete(name)
        log('info', 'the relay has given a name', { domain: name })
        continue
      }
      if (refused.get(name)?.result !== result)
        log('warn', 'the relay does not give a name', { domain: name, code: result, reason: detail ?? '' })
      refused.set(name, { name, result, detail })
    }
  }

  function look(): void {
    if (isAsking) return
    isAsking = true
    void ask().finally(() => {
      isAsking = false
    })
  }

  const again = setInterval(look, AGAIN_MS).unref()

  return {
    apply(next: ClaimSettings): void {
      settings = next
      for (const name of refused.keys()) if (!next.names.includes(name)) refused.delete(name)
      look()
    },
    /** Asks for what is missing, unless that is going on. */
    look,
    refused: (): readonly Refused[] => [...refused.values()],
    stop: (): void => clearInterval(again),
  }
}
