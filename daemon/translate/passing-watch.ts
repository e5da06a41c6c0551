import { CountingWatch } from './counting-watch.ts'
import { type FrameScanner, type OnFrame, sseEvents } from './frame-scanner.ts'

const NOTHING = Buffer.alloc(0)

/** The watch of a stream whose bytes pass as they are. */
export abstract class PassingWatch extends CountingWatch {
  readonly #scanner: FrameScanner

  /** @param scanner finds the frames in the bytes */
  constructor(scanner: (onFrame: OnFrame) => FrameScanner = sseEvents) {
    super()
    this.#scanner = scanner((data, type = '') => {
      this.frameCount += 1
      this.frame(data, type)
    })
  }

  /** What a frame says. @param type of the event, where frames have one */
  protected abstract frame(data: string, type: string): void

  feed(chunk: Buffer): Buffer {
    this.#scanner.feed(chunk)
    return chunk
  }
  rest(): Buffer {
    return NOTHING
  }
  atBoundary(): boolean {
    return this.#scanner.atBoundary()
  }
}
