import { constants, type ServerHttp2Stream } from 'node:http2'
import type { End } from '../../../wire/proxy-header.ts'

/** Whom a visitor asks for, and from where, as the relay says. */
export type Visit = { readonly name: string; readonly source: End; readonly target: End }

/** Why a visitor is not served, as a status of the protocol. */
export type Refusal = 400 | 421 | 429 | 503

/** RFC 9113 section 8.5: the stream ends with the answer, and what came for it is dropped. */
export function refuse(stream: ServerHttp2Stream, status: Refusal): void {
  if (stream.destroyed || stream.closed) return
  stream.on('error', () => {})
  stream.respond({ ':status': status }, { endStream: true })
  stream.close(constants.NGHTTP2_NO_ERROR)
}
