import type { Duplex } from 'node:stream'
import type { End } from './ends.ts'
import type { Counts } from './metrics.ts'
import type { NodeMeter } from './node-meters.ts'

export type EndReason = keyof Counts['ended']

/** A visitor from the moment that it is accepted, and its home from the moment that it was found. */
export type Passage = {
  readonly visitor: End
  home: End | null
  /** Of its node. */
  readonly meter: NodeMeter
  /** When the last byte passed, monotonic. */
  lastMs: number
  /** What was read of the visitor and waits for its home to be found. */
  headBytes: number
  readonly end: (reason: EndReason) => void
}

type JoinParts = {
  readonly passage: Passage
  readonly home: End
  readonly counts: Counts
  /** One side is slower than the other, or than the node may be. */
  readonly hold: () => void
  readonly now: () => number
}

/** Passes bytes both ways as they come, ends and resets too. */
export function joinEnds({ passage, home, counts, hold, now }: JoinParts): void {
  const { visitor, meter, end } = passage
  let closedSides = 0
  passage.home = home
  passage.headBytes = 0
  passage.lastMs = now()

  function pass(from: End, to: End, count: (bytes: number) => void): void {
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
        hold()
      }
      if (meter.take(chunk.length)) return
      if (meter.isUsedUp()) end('quota')
      else {
        meter.hold(source, () => isReady(sink))
        hold()
      }
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

/** Bytes of both ways that are here. */
export const waitingIn = ({ visitor, home, headBytes }: Passage): number =>
  headBytes +
  visitor.stream.writableLength +
  visitor.stream.readableLength +
  (home === null ? 0 : home.stream.writableLength + home.stream.readableLength)

const isReady = (sink: Duplex): boolean => !sink.writableNeedDrain
