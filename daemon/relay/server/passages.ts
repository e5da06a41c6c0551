import type { Http2Stream } from 'node:http2'
import { constants } from 'node:http2'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Counts } from './metrics.ts'
import type { NodeMeter } from './node-meters.ts'
import type { RelayLimits } from './parts.ts'

/** One side of a passage. */
export type End = {
  readonly stream: Duplex
  /** Ends it so that its peer sees a reset, not an end. */
  readonly reset: () => void
  /** Whether its peer has done that, which may look like an end. */
  readonly wasReset: () => boolean
}

export const socketEnd = (socket: Socket): End => ({
  stream: socket,
  reset() {
    // libuv refuses to reset while an end is being sent, and Node would then never close the socket
    if (socket.writableEnded && !socket.writableFinished) socket.destroy()
    else socket.resetAndDestroy()
  },
  wasReset: () => false,
})

export const streamEnd = (stream: Http2Stream): End => ({
  stream,
  reset() {
    if (!stream.closed) stream.close(constants.NGHTTP2_CANCEL)
    stream.destroy()
  },
  wasReset: () => stream.aborted || (stream.rstCode ?? 0) !== constants.NGHTTP2_NO_ERROR,
})

type EndReason = keyof Counts['ended']

type Passage = {
  readonly visitor: End
  readonly home: End
  readonly end: (reason: EndReason) => void
  /** Of its node. */
  readonly meter: NodeMeter
  /** When the last byte passed, monotonic. */
  lastMs: number
}

type PassagesParts = {
  readonly limits: () => RelayLimits
  readonly counts: Counts
  /** Whether little room is left for what waits; told at each change. */
  readonly onPressure: (isHigh: boolean) => void
  readonly now: () => number
}

const LOOK_EVERY_MS = 250
const IDLE_EVERY_MS = 5_000
/** Shares of `bufferedBytes`: from here windows are small, and from there large again; so much is left after shedding. */
const [HIGH, LOW, AFTER_SHEDDING] = [0.5, 0.25, 0.8]

/** Joins visitors with their homes: bytes both ways as they come, ends and resets too; and bounds what waits in between. */
export function createPassages({ limits, counts, onPressure, now }: PassagesParts) {
  const all = new Set<Passage>()
  /** Those in which one side is slower than the other. */
  const held = new Set<Passage>()
  let bufferedBytes = 0
  let isHigh = false
  let emptied: (() => void) | null = null

  /** @param done called once, after both sides are gone or told to go */
  function join(visitor: End, home: End, meter: NodeMeter, done: () => void): void {
    let hasEnded = false
    let closedSides = 0
    const passage: Passage = { visitor, home, meter, lastMs: now(), end }
    function end(reason: EndReason): void {
      if (hasEnded) return
      hasEnded = true
      all.delete(passage)
      held.delete(passage)
      meter.leave(visitor.stream)
      meter.leave(home.stream)
      counts.ended[reason] += 1
      if (reason !== 'done') {
        visitor.reset()
        home.reset()
      }
      done()
      if (all.size === 0) emptied?.()
    }
    all.add(passage)
    const pass = (from: End, to: End, count: (bytes: number) => void) => {
      const [source, sink] = [from.stream, to.stream]
      source.on('data', (chunk: Buffer) => {
        passage.lastMs = now()
        count(chunk.length)
        if (sink.writableCorked === 0) {
          // what comes in one turn leaves in one system call
          sink.cork()
          setImmediate(() => sink.uncork())
        }
        if (!sink.write(chunk)) {
          source.pause()
          held.add(passage)
        }
        if (meter.take(chunk.length)) return
        if (meter.isUsedUp()) end('quota')
        else meter.hold(source, () => isReady(sink))
      })
      sink.on('drain', () => {
        if (!meter.isHeld(source)) source.resume()
      })
      // a stream that is reset is ended first by Node, both at once: what follows is waited for
      const conclude = () => setImmediate(() => (from.wasReset() ? end('reset') : sink.end()))
      if (source.readableEnded) conclude()
      else source.once('end', conclude)
      source.once('close', () => {
        closedSides += 1
        // whole: its peer has ended it, and was told the end of the other side
        if (from.wasReset() || !source.readableEnded || !source.writableFinished) end('reset')
        else if (closedSides === 2) end('done')
      })
      source.on('error', () => end('reset'))
    }
    pass(visitor, home, (bytes) => {
      counts.bytesIn += bytes
      meter.bytesIn += bytes
    })
    pass(home, visitor, (bytes) => {
      counts.bytesOut += bytes
      meter.bytesOut += bytes
    })
    if (visitor.stream.destroyed || home.stream.destroyed) end('reset')
    visitor.stream.resume() // paused since its first bytes were read
  }

  function look(): void {
    bufferedBytes = 0
    for (const passage of held) {
      const bytes = waitingIn(passage)
      bufferedBytes += bytes
      if (bytes === 0) held.delete(passage)
    }
    const most = limits().bufferedBytes
    if (bufferedBytes > most) shed(most * AFTER_SHEDDING)
    const wasHigh = isHigh
    isHigh = bufferedBytes > most * (isHigh ? LOW : HIGH)
    if (isHigh !== wasHigh) onPressure(isHigh)
  }

  /** Ends visitors of the node that holds most, those first that have taken nothing for longest, until all hold less. */
  function shed(to: number): void {
    const nodes = Map.groupBy(
      [...held].sort((a, b) => a.lastMs - b.lastMs),
      ({ meter }) => meter,
    )
    const loads = [...nodes.values()].map((slowest) => ({ slowest, bytes: slowest.reduce(addWaiting, 0) }))
    while (bufferedBytes > to) {
      const heaviest = loads.reduce((most, load) => (load.bytes > most.bytes ? load : most), NO_LOAD)
      const passage = heaviest.slowest.shift()
      if (passage === undefined) return
      const bytes = waitingIn(passage)
      heaviest.bytes -= bytes
      bufferedBytes -= bytes
      passage.end('shed')
    }
  }

  const looking = setInterval(look, LOOK_EVERY_MS).unref()
  const idling = setInterval(
    () => {
      const before = now() - limits().idleMs
      for (const passage of all) if (passage.lastMs < before) passage.end('idle')
    },
    Math.min(IDLE_EVERY_MS, limits().idleMs / 2),
  ).unref()

  return {
    join,
    count: () => all.size,
    bufferedBytes: () => bufferedBytes,
    /** Waits until none is left. @param signal gives up: those that are left are ended */
    async drain(signal: AbortSignal): Promise<void> {
      await new Promise<void>((resolve) => {
        emptied = resolve
        if (all.size === 0 || signal.aborted) resolve()
        signal.addEventListener('abort', () => resolve(), { once: true })
      })
      for (const passage of all) passage.end('drained')
    },
    close() {
      clearInterval(looking)
      clearInterval(idling)
      for (const passage of all) passage.end('drained')
    },
  }
}

/** Of one node: its slow visitors, slowest first. */
type Load = { readonly slowest: Passage[]; bytes: number }
const NO_LOAD: Load = { slowest: [], bytes: 0 }

const isReady = (sink: Duplex): boolean => !sink.writableNeedDrain

const waitingIn = ({ visitor, home }: Passage): number =>
  visitor.stream.writableLength +
  visitor.stream.readableLength +
  home.stream.writableLength +
  home.stream.readableLength

const addWaiting = (bytes: number, passage: Passage): number => bytes + waitingIn(passage)
