import type { IncomingMessage } from 'node:http'
import { GateError } from '../../schemas/words/errors.ts'

/** Bounds on what is in flight. */
export type AdmissionLimits = {
  readonly maxConcurrent: number
  readonly maxBodyBytes: number
  readonly maxBufferedBytes: number
}

export type Admission = ReturnType<typeof createAdmission>

/** One admitted request. Release exactly once. */
export type Slot = {
  /** Reads the whole body. @param onChunk given each chunk as it comes @throws GateError BODY_TOO_LARGE, TOO_MANY_REQUESTS, BAD_REQUEST when it ends early */
  readonly readBody: (request: IncomingMessage, onChunk?: (chunk: Buffer) => void) => Promise<Buffer>
  readonly release: () => void
}

const NOTHING = Buffer.alloc(0)
/** After so many bytes of one body others have their turn; a fast client sends megabytes before the event loop looks up. */
const TURN_BYTES = 256 * 2 ** 10

/** Counts requests in flight and the bytes of bodies held for them; refuses what goes over the limits. */
export function createAdmission(initial: AdmissionLimits) {
  let limits = initial
  let inFlight = 0
  let bufferedBytes = 0

  /** @throws GateError BODY_TOO_LARGE, TOO_MANY_REQUESTS */
  function hold(bytes: number, heldByThis: number): void {
    if (heldByThis + bytes > limits.maxBodyBytes) {
      const message = `the body is larger than server.max_body (${limits.maxBodyBytes} bytes)`
      throw new GateError('BODY_TOO_LARGE', message)
    }
    if (bufferedBytes + bytes > limits.maxBufferedBytes) {
      const message = 'too many large requests at once (server.max_buffered); try again shortly'
      throw new GateError('TOO_MANY_REQUESTS', message, { retryAfterS: 1 })
    }
    bufferedBytes += bytes
  }

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
      return {
        readBody(request, onChunk = () => {}) {
          const declared = Number(request.headers['content-length'] ?? 0)
          if (declared > limits.maxBodyBytes) hold(declared, 0) // refuses before a byte is read
          return new Promise((resolve, reject) => {
            let first: Buffer = NOTHING
            let chunks: Buffer[] | null = null
            let turnBytes = 0
            request.on('data', (chunk: Buffer) => {
              if (released) return
              try {
                hold(chunk.length, heldBytes)
                heldBytes += chunk.length
              } catch (error) {
                reject(error)
                return
              }
              onChunk(chunk)
              turnBytes += chunk.length
              if (turnBytes >= TURN_BYTES) {
                turnBytes = 0
                request.pause()
                setImmediate(() => request.resume())
              }
              if (first.length === 0) first = chunk
              else if (chunks === null) chunks = [first, chunk]
              else chunks.push(chunk)
            })
            request.on('end', () => {
              if (released) return
              if (chunks === null) return resolve(first)
              try {
                hold(heldBytes, 0) // joined: until it is sent on, the body is held twice
                const joined = Buffer.concat(chunks)
                heldBytes += joined.length
                resolve(joined)
              } catch (error) {
                reject(error)
              }
            })
            request.on('close', () => {
              if (!request.complete) reject(new GateError('BAD_REQUEST', 'the request body ended early'))
            })
          })
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
