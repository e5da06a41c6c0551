import { setTimeout as sleep } from 'node:timers/promises'
import { hostPort } from '../../../schemas/words/address.ts'
import type { Log } from '../../../schemas/words/log.ts'
import { createLeaving } from './leaving.ts'
import { createTargets, type Held, type Target } from './targets.ts'
import type { RelayTrust } from './trust.ts'
import { openTunnel, type Tunnel, type TunnelParts } from './tunnel.ts'

export type TunnelsParts = Omit<TunnelParts, 'trust' | 'isDraining'> & {
  /** Called for each tunnel that is up. */
  readonly opened: (tunnel: Tunnel) => void
  /** 0 to 1. */
  readonly random: () => number
  readonly log: Log
}

export type TunnelsSettings = {
  /** Relays as `host:port`. */
  readonly addresses: readonly string[]
  readonly trust: RelayTrust
}

/** One of the tunnels that are kept, and what it is at. */
type Line = {
  target: Target | undefined
  tunnel: Tunnel | undefined
}

const WANTED = 2
/** How often it is looked whether two tunnels to one relay can be tunnels to two. */
const SPREAD_MS = 60_000
/** With nothing to dial. */
const IDLE_MS = 1_000

/** Keeps two tunnels, to different relays where there are two. */
export function createTunnels(parts: TunnelsParts) {
  const { now, random, log } = parts
  const targets = createTargets(now, random)
  const lines: readonly Line[] = Array.from({ length: WANTED }, () => ({ target: undefined, tunnel: undefined }))
  const leaving = createLeaving()
  let isDraining = false
  let run = new AbortController()
  let running: Promise<unknown> = Promise.resolve()

  const open = (): Tunnel[] => lines.flatMap(({ tunnel }) => (tunnel?.isOpen() === true ? [tunnel] : []))
  const heldBy = (others: readonly Line[]): Held[] =>
    others.flatMap(({ target, tunnel }) => (target === undefined ? [] : [{ target, relayId: tunnel?.relayId }]))
  const othersOf = (line: Line) => lines.filter((other) => other !== line)

  async function keep(line: Line, trust: RelayTrust, signal: AbortSignal): Promise<void> {
    const begun = firstTunnel()
    if (line !== lines[0]) await Promise.race([begun, aborted(signal)])
    while (!signal.aborted) {
      const target = targets.next(heldBy(othersOf(line)))
      line.target = target
      await sleep(target === undefined ? IDLE_MS : Math.max(0, target.notBeforeMs - now()), undefined, {
        signal,
        ref: false,
      }).catch(() => {})
      if (target !== undefined && !signal.aborted) await hold(line, target, trust, signal)
    }
    line.target = undefined
  }

  /** Resolves when the first attempt of all has ended. */
  let settleFirst = Promise.withResolvers<void>()
  const firstTunnel = () => settleFirst.promise

  /** Has a tunnel for as long as it is good. */
  async function hold(line: Line, target: Target, trust: RelayTrust, signal: AbortSignal): Promise<void> {
    const relay = hostPort(target.address.host, target.address.port)
    let tunnel: Tunnel
    try {
      tunnel = await openTunnel({ ...parts, trust, isDraining: () => isDraining }, target.address, signal)
    } catch (error) {
      settleFirst.resolve()
      if (signal.aborted) return
      const reason = error instanceof Error ? error.message : String(error)
      if (target.error !== reason) log('warn', 'no tunnel to a relay', { relay, error: reason })
      targets.failed(target, reason, open().length > 0)
      return
    }
    target.relayId = tunnel.relayId
    target.error = undefined
    targets.setTold(tunnel.peers, { servername: target.address.servername, isInPrivate: tunnel.isInPrivate })
    settleFirst.resolve()
    if (isDouble(line, tunnel) && targets.hasOther(heldBy(lines))) {
      tunnel.cut()
      targets.wasDouble(target)
      return
    }
    line.tunnel = tunnel
    log('info', 'tunnel to a relay', { relay, domain: tunnel.names()[0] ?? '' })
    parts.opened(tunnel)
    parts.named()
    await Promise.race([tunnel.leaving, aborted(signal)])
    line.tunnel = undefined
    leaving.add(tunnel)
    if (signal.aborted) tunnel.leave()
    else {
      log('info', 'a tunnel to a relay ends', { relay, reason: tunnel.endReason() })
      targets.ended(target, tunnel.endReason(), now() - tunnel.connectedAtMs, tunnel.drainsAfterMs(), open().length > 0)
    }
    parts.named()
  }

  const isDouble = (line: Line, { relayId }: Tunnel): boolean =>
    othersOf(line).some(({ tunnel }) => tunnel?.isOpen() === true && tunnel.relayId === relayId)

  const spreading = setInterval(() => {
    const double = lines.find((line) => line.tunnel !== undefined && isDouble(line, line.tunnel))
    if (double !== undefined && targets.hasOther(heldBy(lines))) double.tunnel?.leave()
  }, SPREAD_MS).unref()

  function halt(): void {
    run.abort(new Error('the relay client stops'))
  }

  return {
    /** Dials, with these settings from now on; tunnels of before end with their visitors. */
    start({ addresses, trust }: TunnelsSettings): void {
      halt()
      run = new AbortController()
      settleFirst = Promise.withResolvers<void>()
      const { signal } = run
      const before = running
      targets.setOwn(addresses)
      running = before.then(() => Promise.all(lines.map((line) => keep(line, trust, signal))))
    },
    /** Tunnels that bring visitors. */
    open,
    targets: targets.list,
    /** Takes no more visitors, and lets those that are there finish. */
    drain(): void {
      isDraining = true
      clearInterval(spreading)
      halt()
    },
    /** Cuts what is left. */
    async stop(): Promise<void> {
      isDraining = true
      clearInterval(spreading)
      halt()
      await running
      leaving.cut()
    },
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
