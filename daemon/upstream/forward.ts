import type { Readable } from 'node:stream'
import type { Dispatcher } from 'undici'
import type { AnswerForm, Care, Sink } from './answer-form.ts'
import type { ForwardEnd } from './forward-end.ts'
import { Passage } from './passage.ts'

/** A request to one upstream. Times in milliseconds. */
export type ForwardRequest = Care & {
  readonly dispatcher: Pick<Dispatcher, 'dispatch'>
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  readonly path: string
  /** Names and values in turn. */
  readonly headers: string[]
  /** A stream is read as the upstream takes it; null: there is none. */
  readonly body: Buffer | Readable | null
  readonly headersTimeoutMs: number
  readonly idleTimeoutMs: number
}

/**
 * Sends one request to one upstream and passes the answer on as it arrives: backpressure goes up, a client that leaves
 * aborts the upstream. Streams are passed on from their first content, with the last chunk held back as `rest`, so
 * that the caller can settle the books before the client sees the end.
 * @param now monotonic milliseconds
 */
export function forward(request: ForwardRequest, sink: Sink, form: AnswerForm, now: () => number): Promise<ForwardEnd> {
  return new Promise((resolve) => {
    const passage = new Passage(sink, form, request, now, resolve)
    const { dispatcher, method, path, headers, body, headersTimeoutMs, idleTimeoutMs } = request
    dispatcher.dispatch(
      { method, path, headers, body, headersTimeout: headersTimeoutMs, bodyTimeout: idleTimeoutMs },
      passage,
    )
    sink.onGone(() => passage.cancel())
  })
}
