import { join } from 'node:path'
import { pendingAnswer } from '../../pki/acme/challenges/http.ts'
import type { Send } from '../../pki/acme/request.ts'
import type { TlsStatus } from '../../schemas/admin-tls.ts'
import type { Log } from '../../schemas/words/log.ts'
import { guarded } from '../../system/background.ts'
import type { TellAlert } from '../alerts/alert.ts'
import type { Identities } from '../listener/identities.ts'
import { covers } from '../listener/selection.ts'
import { type AcmeSource, acmeSource, type Pending } from './acme.ts'
import { createAlarms } from './alarms.ts'
import { filesSource } from './files.ts'
import { internalCaSource } from './internal-ca.ts'
import { openCertificateStore } from './kept.ts'
import type { CertificateSettings } from './settings.ts'
import type { Clocks, Source, SourceParts } from './source.ts'
import { tailscaleSource } from './tailscale.ts'

export type CertificateParts = Clocks & {
  readonly stateDirectory: string
  readonly log: Log
  readonly send: Send
  /** Is told of alarms, beside the webhook. */
  readonly alert: TellAlert
  /** `tls.alarm_webhook`, as it is now. */
  readonly webhook: () => string | undefined
  /** Host of `server.external_url`, where clients are sent. */
  readonly externalHost: () => string | undefined
}

export type Certificates = ReturnType<typeof createCertificates>

/** How often what is due is looked for: short, so that a clock that jumps is noticed. */
const CHECK_MS = 30_000

/**
 * All certificates of the daemon: what the listener serves, in the order ACME, Tailscale, files, internal CA; their
 * renewal, and alarms.
 */
export function createCertificates(settings: CertificateSettings, parts: CertificateParts) {
  const { now, monotonic, log, alert, send, webhook, externalHost, stateDirectory } = parts
  const pending: Pending = { certificates: new Map(), answers: new Map() }
  const listeners = new Set<() => void>()
  const stopping = new AbortController()
  const alarms = createAlarms({ now, monotonic, log, alert, send, webhook })
  let timer: NodeJS.Timeout | undefined
  const sourceParts: SourceParts = {
    ...parts,
    changed: () => {
      for (const listener of listeners) listener()
      if (timer !== undefined) void tell().catch(noted) // what is served now may have ended an alarm
    },
  }
  let acme: AcmeSource | undefined
  if (settings.acme !== undefined) {
    const { relayed = () => [] } = settings.acme
    const own = { ...settings.acme, relayed: () => relayed().filter((name) => !isCoveredElsewhere(name)) }
    acme = acmeSource(own, openCertificateStore(stateDirectory), pending, send, sourceParts)
  }
  const sources: Source[] = [
    ...(acme === undefined ? [] : [acme]),
    ...(settings.tailscale === undefined ? [] : [tailscaleSource(settings.tailscale, sourceParts)]),
    ...(settings.files === undefined ? [] : [filesSource(settings.files, sourceParts)]),
    ...(settings.internalCa === undefined
      ? []
      : [internalCaSource(settings.internalCa, join(stateDirectory, 'tls/ca'), sourceParts)]),
  ]
  const statuses = () => sources.flatMap((source) => source.status())
  const checking = new Map<Source, Promise<void>>()
  let telling: Promise<void> | undefined
  let hostWithout: string | undefined

  /** Whether a certificate that comes from elsewhere is for a name, so that none has to be ordered. */
  function isCoveredElsewhere(name: string): boolean {
    return sources.some((source) => source !== acme && source.identities().some((identity) => covers(identity, name)))
  }

  /** Does what is due of each source, unless it is at it already; never rejects. */
  async function check(): Promise<void> {
    const { signal } = stopping
    const begun = sources.filter((source) => !checking.has(source))
    const works = begun.map((source) => {
      const work = source.check(signal).finally(() => checking.delete(source))
      checking.set(source, work.catch(noted))
      return work.then(tell) // a webhook that hangs keeps no source from its next check
    })
    await Promise.all([...works, tell()].map((work) => work.catch(noted)))
    await Promise.all(checking.values())
    noteHost()
  }

  /** Warns once while clients are sent to a host that no certificate is for. */
  function noteHost(): void {
    const host = uncoveredHost()
    if (host !== undefined && hostWithout !== host)
      log('warn', 'no certificate is for the host of server.external_url, where clients are sent', { domain: host })
    hostWithout = host
  }

  function uncoveredHost(): string | undefined {
    const host = externalHost()
    const names = identities.current().flatMap((identity) => identity.names)
    if (host === undefined || names.length === 0) return undefined
    return names.includes(host) || names.includes(host.replace(/^[^.]+/, '*')) ? undefined : host
  }

  async function tell(): Promise<void> {
    alarms.note(statuses())
    telling ??= alarms.tell(stopping.signal).finally(() => {
      telling = undefined
    })
    await telling
  }

  function noted(error: unknown): void {
    if (!stopping.signal.aborted) log('error', 'certificates were not looked after', { error: String(error) })
  }

  const identities: Identities = {
    current: () => sources.flatMap((source) => source.identities()),
    onChange(changed) {
      listeners.add(changed)
      return () => listeners.delete(changed)
    },
    challengeFor(name) {
      const found = pending.certificates.get(name)
      return found === undefined ? undefined : { names: [name], ...found }
    },
    httpChallenge: (host, token) => pending.answers.get(pendingAnswer(host, token)),
  }

  return {
    identities,
    /** When what was there at the start can be served; never rejects. */
    ready: Promise.all(sources.map(({ ready }) => ready)).then(() => {}),
    /** Begins to look after them. Call when the listener answers: a CA looks at once. */
    start(): void {
      if (sources.length === 0) return
      const look = guarded(log, 'certificates could not be looked at', check)
      timer = setInterval(look, CHECK_MS).unref()
      look()
    },
    check,
    status(): TlsStatus {
      const account = acme?.account()
      const host = uncoveredHost()
      return {
        certificates: statuses().map(alarms.withAlarm),
        ...(host !== undefined && { uncovered_host: host }),
        ...(account !== undefined && { account }),
      }
    },
    /**
     * Gets a new certificate now. @throws RangeError for a name that no source has @throws Error that says why there is
     * no new one
     */
    async renew(name: string, signal: AbortSignal): Promise<void> {
      const either = AbortSignal.any([signal, stopping.signal])
      try {
        for (const source of sources) if (await source.renew(name, either)) return
      } finally {
        void tell().catch(noted) // an alarm may have begun or ended; its webhook is not waited for
      }
      throw new RangeError(`there is no certificate ${name}`)
    },
    /** Gives up what is going on. What it had presented is taken back. */
    async close(): Promise<void> {
      clearInterval(timer)
      stopping.abort(new Error('the daemon stops'))
      await Promise.all(checking.values())
      await telling?.catch(noted)
      for (const source of sources) source.close()
    },
  }
}
