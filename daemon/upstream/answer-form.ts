import type { ResponseHeaders } from './forward-end.ts'
import type { Redactor } from './redactor.ts'

/** The client's side of an answer. Bytes go out as they are given; `write` says false when the client is slow. */
export type Sink = {
  readonly started: () => boolean
  readonly start: (status: number, headers: ResponseHeaders) => void
  readonly write: (chunk: Buffer) => boolean
  /** Calls back once, when the client has read what was written. */
  readonly onDrain: (resume: () => void) => void
  /** Calls back once, at once if so already, when the client has gone away or the answer was cut off. */
  readonly onGone: (cancel: () => void) => void
}

/** What reads a stream along the way. */
export type Watch = {
  /** @returns what the client is shown of it */
  readonly feed: (chunk: Buffer) => Buffer
  /** What the upstream has left out at its end, which is fed like a chunk; null or absent: nothing. */
  readonly owed?: () => Buffer | null
  /** What was not shown yet when the stream has ended. */
  readonly rest: () => Buffer
  /** Something of the answer has come: it is passed on from here. */
  readonly hasContent: () => boolean
  readonly isDone: () => boolean
  readonly isComplete: () => boolean
  readonly failure: () => string | null
  /** What the log may hold of the failure; absent or null: all. */
  readonly loggedFailure?: () => string | null
  /** What the client is shown once something has been checked; null or absent: nothing is being checked. */
  readonly later?: () => Promise<Buffer> | null
  /** Why it cannot be read on; null: it can. */
  readonly garbage?: () => string | null
}

/** How a stream is distinguished from a complete answer, and an error from success. */
export type AnswerForm = {
  /** The media type of streams. */
  readonly mediaType: string
  /** Whether an answer is a stream, by its first bytes and its type; null: these bytes tell nothing yet. */
  readonly looksLikeStream: (start: Buffer, isCalledStream: boolean) => boolean | null
  /** Called once the answer turns out to be a stream. @returns what reads it */
  readonly watch: () => Watch
  /** An answer that is no stream is shown whole or not at all. */
  readonly isWhole?: boolean
  /** The message of the error in a whole answer; null: it holds none. */
  readonly failureOf: (answer: Buffer) => string | null
}

/** What an answer may neither show nor take. */
export type Care = {
  /** Takes the credential that is sent out of the answer; null: none is sent. */
  readonly redactor: Redactor | null
  /** Counts bytes that are kept of the answer until its request ends. @throws GateError when there are too many */
  readonly hold: (bytes: number) => void
}
