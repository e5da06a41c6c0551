import { CountingWatch } from './counting-watch.ts'
import { type FrameScanner, type OnFrame, sseEvents } from './frame-scanner.ts'
import { WholeFrames } from './whole-frames.ts'

const NOTHING = Buffer.alloc(0)
const LF = 0x0a
const CR = 0x0d

/**
 * The watch of a stream whose bytes pass as they are: frame by frame, up to the one that ends the answer, or fails.
 */
export abstract class PassingWatch extends CountingWatch {
  readonly #scanner: FrameScanner
  readonly #whole = new WholeFrames()
  /** Where the last frame that is shown ends, in bytes of the latest chunk. */
  #end: number | null = null
  #endsWithCr = false

  /** @param scanner finds the frames in the bytes */
  constructor(scanner: (onFrame: OnFrame) => FrameScanner = sseEvents) {
    super()
    this.#scanner = scanner((data, type = '') => this.#frame(data, type))
  }

  /** What a frame says. @param type of the event, where frames have one */
  protected abstract frame(data: string, type: string): void

  /** A frame that is too long to be read. */
  protected longFrame(_type: string): void {
    this.contentFrameCount += 1
    this.contentHasCome = true
  }

  feed(chunk: Buffer): Buffer {
    if (this.#end !== null) return this.#lineFeedOf(chunk)
    this.#scanner.feed(chunk)
    const shown = this.#whole.show(chunk, this.#end ?? this.#scanner.frameEnd)
    this.#endsWithCr = shown.at(-1) === CR
    return shown
  }
  owed(): Buffer | null {
    return this.#end === null ? (this.#scanner.owed?.() ?? null) : null
  }
  rest(): Buffer {
    return NOTHING
  }
  atBoundary(): boolean {
    return this.#whole.atBoundary()
  }

  /** Nothing of a frame is pending, and others may come. */
  protected isBetweenFrames(): boolean {
    return this.#end === null && this.#scanner.atBoundary()
  }
  /** The bytes said that nothing follows. */
  protected hasClosed(): boolean {
    return this.#scanner.hasEnded?.() === true
  }
  /** Something came that is not shown. */
  protected isCut(): boolean {
    return this.#end !== null
  }
  /** The frame that completes the answer is the last: clients take any other for its end, too. */
  protected endsUnsaid(): boolean {
    return false
  }

  /** Of the last line end, which may have been cut. */
  #lineFeedOf(chunk: Buffer): Buffer {
    if (chunk.length === 0) return NOTHING
    const isItsRest = this.#endsWithCr && chunk[0] === LF
    this.#endsWithCr = false
    return isItsRest ? chunk.subarray(0, 1) : NOTHING
  }

  #frame(data: string | null, type: string): void {
    if (this.#end !== null) return
    const wasComplete = this.endsUnsaid() && this.isComplete()
    this.frameCount += 1
    if (data === null) this.longFrame(type)
    else this.frame(data, type)
    const { frameStart, frameEnd } = this.#scanner
    const hasFailed = this.failureMessage !== null || this.garbageMessage !== null
    if (wasComplete && hasFailed) {
      // nothing is missing, and the client knows
      this.failureMessage = null
      this.garbageMessage = null
      this.hasSaidEnd = true
      this.#end = frameStart
    } else if (this.garbageMessage !== null) this.#end = frameStart
    else if (hasFailed || (this.hasSaidEnd && this.isComplete())) this.#end = frameEnd
  }
}
