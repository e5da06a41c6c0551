import type { ServerHttp2Stream } from 'node:http2'
import type { Duplex } from 'node:stream'
import type { Log } from '../../../schemas/words/log.ts'
import { type End, streamEnd } from './ends.ts'
import { answer, type createHops } from './hops.ts'
import type { Counts } from './metrics.ts'
import type { createNodeMeters } from './node-meters.ts'
import { NOT_NOW, type Opening, openStream, type Visit } from './opening.ts'
import type { Presence, RelayLimits } from './parts.ts'
import type { createPassages } from './passages.ts'
import type { Tunnel } from './tunnel.ts'
import type { createTunnels } from './tunnels.ts'

type VisitorsParts = {
  readonly tunnels: Pick<ReturnType<typeof createTunnels>, 'of' | 'has' | 'isDraining'>
  readonly passages: Pick<ReturnType<typeof createPassages>, 'begin'>
  readonly meters: ReturnType<typeof createNodeMeters>
  readonly presence: Presence
  readonly hops: Pick<ReturnType<typeof createHops>, 'to'>
  readonly limits: () => RelayLimits
  readonly counts: Counts
  /** Until a home has taken a visitor, over all tries. */
  readonly openingMs: number
  readonly now: () => number
  readonly log: Log
}

export type VisitorRefusal = keyof Counts['refused']

/** Tunnels and other relays that one visitor is offered to, each. */
const MOST_TRIES = 3
/** Another relay sends the first bytes of a visitor at once. */
const HEAD_MS = 5_000

/** Offers visitors to the tunnels of their node, and then to other relays that have one. */
export function createVisitors(parts: VisitorsParts) {
  const { tunnels, passages, meters, presence, hops, limits, counts, openingMs, now, log } = parts

  /** A visitor goes through one other relay at most. @param through how many it went through */
  const routesOf = (nodeId: string, through: number) => (through > 0 ? [] : presence.routesOf(nodeId))

  const canReach = (nodeId: string, through: number): boolean =>
    tunnels.has(nodeId) || routesOf(nodeId, through).length > 0

  const away = (): VisitorRefusal => (tunnels.isDraining() ? 'draining' : 'offline')

  /**
   * Passes a visitor on to its node. It is counted from here on.
   * @param opened called before the first byte comes back; false: the visitor has left
   * @returns null: done, or it has left; else why not
   */
  async function pass(
    visitor: End,
    nodeId: string,
    visit: Visit,
    head: Buffer,
    opened = () => true,
  ): Promise<VisitorRefusal | null> {
    if (!canReach(nodeId, visit.hops)) return away()
    const meter = meters.of(nodeId)
    if (meter.visitors >= limits().streamsPerNode || meter.isUsedUp()) return 'node-limit'
    const begun = passages.begin(visitor, meter, head.length)
    if (begun === null) return 'visitor-limit'
    try {
      const { opening, done } = await find(nodeId, visit, head, visitor.stream)
      if (opening.kind === 'open' && opened()) {
        counts.bytesIn += head.length
        meter.bytesIn += head.length
        begun.join(streamEnd(opening.stream), done)
        return null
      }
      begun.leave()
      done()
      if (opening.kind === 'open') streamEnd(opening.stream).reset()
      else if (!visitor.stream.destroyed) return opening.status === 0 ? away() : 'node-refused'
      return null // it has left
    } catch (error) {
      log('error', 'a visitor could not be passed on', { subject: nodeId, error: String(error) })
      begun.leave()
      return 'node-refused'
    }
  }

  type Found = { readonly opening: Opening; readonly done: () => void }

  /** Asks the tunnels and relays that a node has, one after the other, each with its part of the time that is left. */
  async function find(nodeId: string, visit: Visit, head: Buffer, visitor: Duplex): Promise<Found> {
    const relays = new Set(routesOf(nodeId, visit.hops).map(({ relay }) => relay))
    const ways = [...tunnels.of(nodeId).slice(0, MOST_TRIES), ...[...relays].slice(0, MOST_TRIES)]
    const endMs = now() + openingMs
    let refused = NOT_NOW
    for (const [tried, way] of ways.entries()) {
      const withinMs = (endMs - now()) / (ways.length - tried)
      const found =
        typeof way === 'string'
          ? await askRelay(way, visit, head, visitor, withinMs)
          : await askTunnel(way, visit, head, visitor, withinMs)
      if (found.opening.kind === 'open') return found
      found.done()
      if (visitor.destroyed) break
      if (found.opening.status !== 0) refused = found.opening
    }
    return { opening: refused, done: () => {} }
  }

  async function askTunnel(tunnel: Tunnel, visit: Visit, head: Buffer, visitor: Duplex, withinMs: number) {
    const done = tunnel.carry()
    return { opening: await openStream({ session: tunnel.session, visit, head, visitor, withinMs }), done }
  }

  async function askRelay(id: string, visit: Visit, head: Buffer, visitor: Duplex, withinMs: number) {
    const startMs = now()
    const session = await within(hops.to(id), withinMs)
    const leftMs = withinMs - (now() - startMs)
    const opening =
      session === null
        ? NOT_NOW
        : await openStream({ session, visit: { ...visit, hops: visit.hops + 1 }, head, visitor, withinMs: leftMs })
    if (opening.kind === 'open') counts.forwarded += 1
    return { opening, done: () => {} }
  }

  /** Another relay has sent a visitor; it goes to a tunnel of this relay or nowhere. */
  function takeFromRelay(stream: ServerHttp2Stream, nodeId: string, visit: Visit): void {
    const late = setTimeout(() => streamEnd(stream).reset(), HEAD_MS)
    stream.once('close', () => clearTimeout(late))
    stream.once('data', (head: Buffer) => {
      clearTimeout(late)
      stream.pause()
      void pass(streamEnd(stream), nodeId, visit, head, () => answer(stream, 200)).then((refused) => {
        if (refused === null) return
        counts.refused[refused] += 1
        answer(stream, 503)
      })
    })
  }

  return { canReach, away, pass, takeFromRelay }
}

/** @returns null: it takes longer */
async function within<T>(waited: Promise<T>, ms: number): Promise<T | null> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), ms)
  })
  try {
    return await Promise.race([waited, late])
  } finally {
    clearTimeout(timer)
  }
}
