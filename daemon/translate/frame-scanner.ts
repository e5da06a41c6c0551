import { SseScanner } from './sse.ts'

/** Given each frame; null: it is longer than what is kept. @param type of the event, where frames have one */
export type OnFrame = (data: string | null, type?: string) => void

/**
 * Finds the frames in the bytes of a stream, wherever its chunks are cut. `frameStart` and `frameEnd`: where the frame
 * that ended last began and ended, in bytes of the latest chunk; 0: before it. `hasEnded`: whether the bytes say that
 * nothing follows, where some do. `owed`: what ends a frame that is complete but for that, once nothing more comes.
 */
export type FrameScanner = Pick<SseScanner, 'feed' | 'atBoundary'> &
  Readonly<Pick<SseScanner, 'frameStart' | 'frameEnd'>> & {
    readonly hasEnded?: () => boolean
    readonly owed?: () => Buffer | null
  }

export const sseEvents = (onFrame: OnFrame): FrameScanner => new SseScanner(onFrame)
