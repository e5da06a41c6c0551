import { type ErrorCode, GateError } from '../../schemas/words/errors.ts'
import type { Dialect } from '../translate/dialect.ts'
import { isRecord } from '../translate/json-value.ts'
import type { Translation } from '../translate/translation.ts'
import type { ForwardEnd } from '../upstream/forward-end.ts'
import type { Job } from './job.ts'

const JSON_TYPE = { 'content-type': 'application/json' }

/**
 * The end of an attempt in the client's dialect, of which the upstream speaks another.
 * @param spoken the upstream's dialect @param whole the answer, written anew; null: it came as a stream
 */
export function translatedEnd(
  end: ForwardEnd,
  { answer, dialect, asked }: Pick<Job, 'answer' | 'dialect' | 'asked'>,
  spoken: Dialect,
  whole: Buffer | null,
): ForwardEnd {
  switch (end.kind) {
    case 'answered': {
      const headers = asked.stream ? streamTypeOf(dialect) : JSON_TYPE
      return { ...end, headers, rest: whole ?? end.rest }
    }
    case 'rejected': {
      const { 'retry-after': after, 'retry-after-ms': afterMs } = end.headers
      const headers = {
        ...(after !== undefined && { 'retry-after': after }),
        ...(afterMs !== undefined && { 'retry-after-ms': afterMs }),
      }
      if (!isJsonObject(end.body)) return { ...end, headers: { ...headers, 'content-type': 'text/plain' } }
      const message = spoken.failureOf(end.body) ?? `the upstream answered ${end.status}`
      const wait = /^\d+$/.test(String(after)) ? { retryAfterS: Number(after) } : {}
      const error = new GateError(codeOf(end.status), message, { ...wait, status: end.status })
      const body = Buffer.from(JSON.stringify(dialect.errorBody(error, answer.requestId)))
      return { ...end, headers: { ...headers, ...JSON_TYPE }, body }
    }
    default:
      return end
  }
}

function isJsonObject(body: Buffer): boolean {
  try {
    return isRecord(JSON.parse(body.toString('utf8')))
  } catch {
    return false
  }
}

const CODES: Readonly<Record<number, ErrorCode>> = {
  404: 'MODEL_NOT_FOUND',
  413: 'BODY_TOO_LARGE',
  429: 'TOO_MANY_REQUESTS',
  503: 'OVERLOADED',
  504: 'UPSTREAM_TIMEOUT',
  529: 'OVERLOADED',
}

const codeOf = (status: number): ErrorCode => CODES[status] ?? (status < 500 ? 'BAD_REQUEST' : 'UPSTREAM_FAILED')

/**
 * An upstream was asked for a stream and has answered whole: clients would look for events in that, find none, and say
 * nothing. Or it was not, and has sent one, which was put together on its way.
 * @param anew what writes the answer anew, where its dialect does not
 */
export function asAskedFor(
  end: ForwardEnd,
  { answer, dialect, asked }: Pick<Job, 'answer' | 'dialect' | 'asked'>,
  anew: () => Pick<Translation, 'answer'>,
): ForwardEnd {
  if (end.kind !== 'answered' || answer.started() || asked.stream === (answer.watch !== null)) return end
  if (!asked.stream) return { ...end, headers: { ...end.headers, ...JSON_TYPE } }
  try {
    const rest = dialect.replay === undefined ? anew().answer(end.rest, true) : Buffer.from(dialect.replay(end.rest))
    return Buffer.isBuffer(rest) ? { ...end, headers: streamTypeOf(dialect), rest } : end
  } catch {
    return end // it is no answer of the dialect: as it is
  }
}

export const streamTypeOf = ({ streamType }: Dialect) => ({ 'content-type': `${streamType}; charset=utf-8` })
