import { GateError } from '../../schemas/words/errors.ts'
import { type RequestBody, readBody } from './body.ts'

/** Bounds on what is in flight. */
export type AdmissionLimits = {
  readonly maxConcurrent: number
  readonly maxBodyBytes: number
  readonly maxBufferedBytes: number
}

export type Admission = ReturnType<typeof createAdmission>

/** One admitted request. Release exactly once. */
export type Slot = {
  /** Reads the whole body, unpacked: `readBody` of body.ts. */
  readonly readBody: (request: RequestBody, onChunk?: (chunk: Buffer) => void) => Promise<Buffer>
  /**
   * Counts bytes of an answer that are kept until the release: a quarter more than bodies may take, so that no upload
   * costs another request the answer that it was promised. @throws GateError TOO_MANY_REQUESTS when there are too many
   */
  readonly holdAnswer: (bytes: number) => void
  readonly release: () => void
}

/** Up to this share of server.max_buffered answers may be kept beside bodies. */
const ANSWERS_SHARE = 1.25

/** Counts requests in flight and the bytes of bodies and answers held for them; refuses what goes over the limits. */
export function createAdmission(initial: AdmissionLimits) {
  let limits = initial
  let inFlight = 0
  let bufferedBytes = 0

  return {
    setLimits(next: AdmissionLimits): void {
      limits = next
    },
    inFlight: () => inFlight,
    bufferedBytes: () => bufferedBytes,

    /** @throws GateError TOO_MANY_REQUESTS */
    admit(): Slot {
      if (inFlight >= limits.maxConcurrent) {
        const message = `${inFlight} requests are in flight (server.max_concurrent); try again shortly`
        throw new GateError('TOO_MANY_REQUESTS', message, { retryAfterS: 1 })
      }
      inFlight += 1
      let heldBytes = 0
      let released = false

      function hold(bytes: number, share: number): void {
        if (released) return // nothing that comes late is kept, and nothing would give it back
        if (bufferedBytes + bytes > limits.maxBufferedBytes * share) {
          const message = 'too many large requests and answers at once (server.max_buffered); try again shortly'
          throw new GateError('TOO_MANY_REQUESTS', message, { retryAfterS: 1 })
        }
        bufferedBytes += bytes
        heldBytes += bytes
      }

      return {
        holdAnswer: (bytes) => hold(bytes, ANSWERS_SHARE),
        readBody: (request, onChunk = () => {}) => {
          const bounds = {
            maxBytes: limits.maxBodyBytes,
            hold: (bytes: number) => hold(bytes, 1),
            isReleased: () => released,
          }
          return readBody(request, bounds, onChunk)
        },
        release() {
          if (released) return
          released = true
          inFlight -= 1
          bufferedBytes -= heldBytes
        },
      }
    },
  }
}
