import type { GateError } from '../../schemas/words/errors.ts'
import type { Usage } from './neutral.ts'

/** What a stream has shown so far, wherever its chunks were cut. */
export type StreamWatch = {
  /** Reads one more chunk. @returns what the client is shown: nearly always the chunk itself */
  feed(chunk: Buffer): Buffer
  /**
   * What the upstream has left out at its end: the end of a frame that is complete otherwise; null: nothing. It is fed
   * like a chunk. Absent: frames are never left open.
   */
  owed?(): Buffer | null
  /** What was not shown yet when the stream has ended. */
  rest(): Buffer
  /** Complete frames seen, without comments. */
  frames(): number
  /** Frames that carried a part of the answer, not the one that only ends it. */
  contentFrames(): number
  /** Something of the answer itself has come, or its end: from here on no other upstream can take over. */
  hasContent(): boolean
  usage(): Usage | null
  /** The stream said that nothing follows. */
  isDone(): boolean
  /** The answer is complete, whether or not the stream said so. */
  isComplete(): boolean
  /** The message of an error that came inside the stream, or null. */
  failure(): string | null
  /** Why the stream cannot be read on, or null; what cannot be read is not shown. Absent: anything can be. */
  garbage?(): string | null
  /** What was shown ends between two frames, so that one of Gate's own may follow. */
  atBoundary(): boolean
  /** How the client learns of a failure where that depends on what it was shown; absent: as it always does. */
  errorFrame?(error: GateError): string
}
