import { PassThrough, type Readable } from 'node:stream'
import { GateError } from '../../../schemas/words/errors.ts'
import type { Exchange } from '../exchange.ts'

/** Of one file, as both OpenAI and Anthropic have it. */
const MOST_UPLOADED_BYTES = 512 * 2 ** 20

/** The body as it comes, up to a bound: nothing of it is kept, and it comes no faster than the upstream takes it. */
/** @throws GateError BODY_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE */
export function upload({ request, answer }: Exchange): Readable {
  if (Number(request.headers['content-length'] ?? 0) > MOST_UPLOADED_BYTES) throw tooLarge()
  if (request.headers['content-encoding'] !== undefined)
    throw new GateError('UNSUPPORTED_MEDIA_TYPE', 'send the form as it is, without a content-encoding')
  answer.askForBody()
  const body = new PassThrough()
  let bytes = 0
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes > MOST_UPLOADED_BYTES) body.destroy(tooLarge())
  })
  request.on('close', () => {
    if (!request.complete) body.destroy(new GateError('BAD_REQUEST', 'the request body ended early'))
  })
  return request.pipe(body)
}

function tooLarge(): GateError {
  return new GateError('BODY_TOO_LARGE', `an upload may have ${MOST_UPLOADED_BYTES} bytes`)
}
