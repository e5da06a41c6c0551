import { PassThrough, type Readable } from 'node:stream'
import { GateError } from '../../../schemas/words/errors.ts'
import { timesItself } from '../../listener/broken-request.ts'
import type { ClientRequest } from '../../listener/client-request.ts'
import type { Exchange } from '../exchange.ts'

/** What bounds an upload. `mostBytes` are of one file, as OpenAI and Anthropic both have it. */
export const UPLOAD_BOUNDS = { mostBytes: 512 * 2 ** 20, idleMs: 60_000, longestMs: 3_600_000 }

/**
 * The body as it comes, up to a bound: nothing of it is kept, and it comes no faster than the upstream takes it. It may
 * take longer than other bodies, as long as something comes.
 * @param onChunk is given each part of it as it comes
 * @returns fails with GateError BODY_TOO_LARGE, REQUEST_TIMEOUT or BAD_REQUEST
 * @throws GateError BODY_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE
 */
export function upload(
  { request, answer }: { readonly request: ClientRequest; readonly answer: Pick<Exchange['answer'], 'askForBody'> },
  { mostBytes, idleMs, longestMs } = UPLOAD_BOUNDS,
  onChunk: (chunk: Buffer) => void = () => {},
): Readable {
  if (Number(request.headers['content-length'] ?? 0) > mostBytes) throw tooLarge(mostBytes)
  if (request.headers['content-encoding'] !== undefined)
    throw new GateError('UNSUPPORTED_MEDIA_TYPE', 'send the file as it is, without a content-encoding')
  timesItself(request)
  answer.askForBody()
  const body = new PassThrough()
  const over = setTimeout(() => body.destroy(tooSlow()), longestMs)
  const idle = setTimeout(() => {
    if (body.writableNeedDrain)
      idle.refresh() // it is the upstream that takes nothing
    else body.destroy(tooSlow())
  }, idleMs)
  let bytes = 0
  request.on('data', (chunk: Buffer) => {
    idle.refresh()
    bytes += chunk.length
    onChunk(chunk)
    if (bytes > mostBytes) body.destroy(tooLarge(mostBytes))
  })
  request.on('close', () => {
    if (!request.complete) body.destroy(new GateError('BAD_REQUEST', 'the request body ended early'))
  })
  const end = () => {
    clearTimeout(over)
    clearTimeout(idle)
  }
  request.once('end', end)
  body.once('close', end)
  return request.pipe(body)
}

function tooLarge(bytes: number): GateError {
  const message = `the upload is larger than ${bytes / 2 ** 20} MiB; send it in parts`
  return new GateError('BODY_TOO_LARGE', message)
}

const tooSlow = () => new GateError('REQUEST_TIMEOUT', 'the upload took too long to arrive; send it again, or in parts')
