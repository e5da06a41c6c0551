import type { Log } from '../../../schemas/words/log.ts'
import type { Said } from './control.ts'
import type { LocatedRequester, NodeRequest, NodeRequests } from './parts.ts'

type AnsweringParts = {
  readonly requester: LocatedRequester
  readonly requests: NodeRequests
  readonly say: (message: Said) => void
  readonly log: Log
}

/** Requests of one tunnel that wait for an answer. */
const MOST_REQUESTS = 8
const REQUEST_MS = 30_000

/** Answers what a node asks for over its tunnel, a few at a time. */
export function createAnswering({ requester, requests, say, log }: AnsweringParts) {
  const ending = new AbortController()
  let waiting = 0

  async function take(request: NodeRequest): Promise<void> {
    const answer = (result: string, detail?: string) =>
      say({ type: 'answer', id: request.id, result, ...(detail === undefined ? {} : { detail }) })
    if (waiting >= MOST_REQUESTS) {
      answer('busy')
      return
    }
    waiting += 1
    try {
      const signal = AbortSignal.any([ending.signal, AbortSignal.timeout(REQUEST_MS)])
      const { result, detail } = await requests(requester, request, signal)
      answer(result, detail)
    } catch (error) {
      const { nodeId } = requester
      log('error', 'a request of a node has failed', { subject: nodeId, task: request.type, error: String(error) })
      answer('unavailable')
    } finally {
      waiting -= 1
    }
  }

  return {
    take: (request: NodeRequest): void => void take(request),
    /** The tunnel has ended. */
    stop: (): void => ending.abort(),
  }
}
