import { SseScanner } from './sse.ts'

/** Given each frame; @param type of the event, where frames have one */
export type OnFrame = (data: string, type?: string) => void

/** Finds the frames in the bytes of a stream, wherever its chunks are cut. */
export type FrameScanner = Pick<SseScanner, 'feed' | 'atBoundary'>

export const sseEvents = (onFrame: OnFrame): FrameScanner => new SseScanner(onFrame)
