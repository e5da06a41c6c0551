import type { GateError } from '../../schemas/words/errors.ts'

export type ResponseHeaders = Readonly<Record<string, string | string[] | undefined>>

/**
 * How a forwarded request ended. `status` is the upstream's, 0 when none came; `ttftMs` the time to the first byte of
 * content, null when there was none.
 */
export type ForwardEnd =
  /** A complete answer; `rest` is the part that the sink has not been given yet: all of it unless it is a stream. */
  | {
      readonly kind: 'answered'
      readonly status: number
      readonly headers: ResponseHeaders
      readonly rest: Buffer
      readonly ttftMs: number
    }
  /** An error or redirect as the answer; the sink was given nothing of it. */
  | { readonly kind: 'rejected'; readonly status: number; readonly headers: ResponseHeaders; readonly body: Buffer }
  /** An error inside a success (of a stream, or the complete answer), before the sink was given anything of it. */
  | { readonly kind: 'reported'; readonly status: number; readonly error: GateError; readonly ttftMs: number | null }
  /** A stream that reported an error after that; the sink was given its report. */
  | {
      readonly kind: 'reported-within'
      readonly status: number
      readonly error: GateError
      readonly ttftMs: number | null
    }
  /**
   * No connection, or nothing at all came back over it. `wasKept`: it had served requests before, so that the other
   * side most likely closed it before it saw this one.
   */
  | {
      readonly kind: 'unreached'
      readonly status: 0
      readonly error: GateError
      readonly ttftMs: null
      readonly wasKept: boolean
    }
  /** Its body did not come as it should, which is the client's fault, before the sink was given anything. */
  | { readonly kind: 'unsent'; readonly status: 0; readonly error: GateError; readonly ttftMs: null }
  /** Gate itself had no means to ask it, or no memory for its answer, before the sink was given anything. */
  | { readonly kind: 'overloaded'; readonly status: 0; readonly error: GateError; readonly ttftMs: null }
  /** Gate had no memory for the rest, after the sink was given a part. */
  | {
      readonly kind: 'overloaded-within'
      readonly status: number
      readonly error: GateError
      readonly ttftMs: number | null
    }
  /** It hung or broke off before the sink was given anything. */
  | {
      readonly kind: 'broken-before'
      readonly status: number
      readonly error: GateError
      readonly ttftMs: number | null
    }
  /** It hung or broke off after the sink was given a part. */
  | {
      readonly kind: 'broken-within'
      readonly status: number
      readonly error: GateError
      readonly ttftMs: number | null
    }
  /** The client went away. */
  | { readonly kind: 'gone'; readonly status: number; readonly ttftMs: number | null }
