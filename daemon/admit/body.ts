import type { IncomingHttpHeaders } from 'node:http'
import type { Readable } from 'node:stream'
import { GateError } from '../../schemas/words/errors.ts'
import { CODINGS, codingOf, createDecoder } from '../../wire/decoder.ts'

/** A body that is being received. `complete`: all of it came. */
export type RequestBody = Readable & { readonly headers: IncomingHttpHeaders; readonly complete: boolean }

/**
 * What bounds one body. `hold` counts bytes that are kept for it until its slot is released, and throws when there are
 * too many.
 */
type BodyBounds = {
  readonly maxBytes: number
  readonly hold: (bytes: number) => void
  readonly isReleased: () => boolean
}

type OnChunk = (chunk: Buffer) => void

const NOTHING = Buffer.alloc(0)
/**
 * After so many bytes of one body others have their turn; a fast client sends megabytes before the event loop looks up.
 */
const TURN_BYTES = 256 * 2 ** 10
/** What a chunk takes besides its bytes; a body may come in millions of them. */
const CHUNK_BYTES = 160

/**
 * Reads a whole body, unpacked, with `maxBytes` as the bound of both sizes.
 * @param onChunk given each chunk as it comes
 * @throws GateError BODY_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE at once; rejects with these, TOO_MANY_REQUESTS, and
 * BAD_REQUEST when it ends early or cannot be unpacked
 */
export function readBody(request: RequestBody, bounds: BodyBounds, onChunk: OnChunk): Promise<Buffer> {
  const { 'content-length': length, 'content-encoding': encoding } = request.headers
  if (Number(length ?? 0) > bounds.maxBytes) throw tooLarge(bounds) // before a byte is read
  const coding = encoding === undefined ? 'identity' : codingOf(encoding)
  if (coding === null) {
    const message = `send the body as it is, or in one of these codings: ${CODINGS}`
    throw new GateError('UNSUPPORTED_MEDIA_TYPE', message, { headers: { 'accept-encoding': CODINGS } })
  }
  return new Promise((settle, reject) => {
    const kept = keep(bounds, onChunk)
    // joining what is large takes a turn by itself; setImmediate would still be in the same one
    const resolve = (body: Buffer) => (body.length < TURN_BYTES ? settle(body) : setTimeout(settle, 0, body))
    if (coding === 'identity') readPlain(request, kept, bounds, resolve, reject)
    else readPacked(request, coding, kept, bounds, resolve, reject)
  })
}

type Kept = { readonly add: (chunk: Buffer) => void; readonly joined: () => Buffer }
type Settle = (body: Buffer) => void

function readPlain(
  request: RequestBody,
  kept: Kept,
  { isReleased }: BodyBounds,
  resolve: Settle,
  reject: (error: unknown) => void,
): void {
  let turnBytes = 0
  request.on('data', (chunk: Buffer) => {
    if (isReleased()) return
    try {
      kept.add(chunk)
    } catch (error) {
      reject(error)
      return
    }
    turnBytes += chunk.length
    if (turnBytes < TURN_BYTES) return
    turnBytes = 0
    request.pause()
    setImmediate(() => request.resume())
  })
  request.on('end', () => {
    if (isReleased()) return
    try {
      resolve(kept.joined())
    } catch (error) {
      reject(error)
    }
  })
  request.on('close', () => {
    if (!request.complete) reject(endOf(request))
  })
}

/** Unpacking takes turns by itself: it is done in other threads, some kilobytes at a time. */
function readPacked(
  request: RequestBody,
  coding: string,
  kept: Kept,
  bounds: BodyBounds,
  resolve: Settle,
  reject: (error: unknown) => void,
): void {
  let packedBytes = 0
  let hasEnded = false
  const decoder = createDecoder(coding, {
    onData: (chunk) => attempt(() => kept.add(chunk)),
    onDrain: () => request.resume(),
    onEnd: () => attempt(() => resolve(kept.joined())),
    onError: (cause) => stop(new GateError('BAD_REQUEST', `the body is not valid ${coding}`, { cause })),
  })

  function stop(error: unknown): void {
    hasEnded = true
    decoder.destroy()
    reject(error)
    request.resume() // what is still to come is not looked at
  }

  function attempt(step: () => void): void {
    if (hasEnded || bounds.isReleased()) return
    try {
      step()
    } catch (error) {
      stop(error)
    }
  }

  request.on('data', (chunk: Buffer) =>
    attempt(() => {
      packedBytes += chunk.length
      if (packedBytes > bounds.maxBytes) throw tooLarge(bounds)
      bounds.hold(chunk.length)
      if (!decoder.write(chunk)) request.pause()
    }),
  )
  request.on('end', () => attempt(decoder.end))
  request.on('close', () => {
    if (!request.complete) stop(endOf(request))
  })
}

/**
 * Keeps the chunks of a body, which are counted; once more when they have to be joined: until it is sent on, the body
 * is held twice.
 */
function keep(bounds: BodyBounds, onChunk: OnChunk): Kept {
  let first: Buffer = NOTHING
  let chunks: Buffer[] | null = null
  let bytes = 0
  return {
    add(chunk) {
      if (bytes + chunk.length > bounds.maxBytes) throw tooLarge(bounds)
      bounds.hold(chunk.length + (bytes === 0 ? 0 : CHUNK_BYTES))
      bytes += chunk.length
      onChunk(chunk)
      if (first.length === 0) first = chunk
      else if (chunks === null) chunks = [first, chunk]
      else chunks.push(chunk)
    },
    joined() {
      if (chunks === null) return first
      bounds.hold(bytes)
      return Buffer.concat(chunks)
    },
  }
}

function tooLarge({ maxBytes }: BodyBounds): GateError {
  return new GateError('BODY_TOO_LARGE', `the body is larger than server.max_body (${maxBytes} bytes)`)
}

/** Why no more of a body comes: what the listener says, or the client has left. */
function endOf({ errored }: RequestBody): GateError {
  return errored instanceof GateError ? errored : new GateError('BAD_REQUEST', 'the request body ended early')
}
