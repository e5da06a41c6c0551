import type { ModelRequest } from '../translate/call.ts'
import type { Dialect } from '../translate/dialect.ts'
import type { Translation } from '../translate/translation.ts'
import type { ForwardEnd } from '../upstream/forward-end.ts'
import type { Answer } from './answer.ts'

/**
 * An upstream was asked for a stream and has answered whole: clients would look for events in that, find none, and say
 * nothing. @param asStream what writes the answer anew, where its dialect does not
 */
export function streamed(
  end: ForwardEnd,
  { answer, dialect, asked }: { readonly answer: Answer; readonly dialect: Dialect; readonly asked: ModelRequest },
  asStream: () => Pick<Translation, 'answer'>,
): ForwardEnd {
  if (end.kind !== 'answered' || answer.watch !== null || answer.started()) return end
  if (dialect.neutral === undefined || (asked.choices ?? 1) > 1) return end
  try {
    const rest =
      dialect.replay === undefined ? asStream().answer(end.rest, true) : Buffer.from(dialect.replay(end.rest))
    return Buffer.isBuffer(rest) ? { ...end, headers: streamTypeOf(dialect), rest } : end
  } catch {
    return end // it is no answer of the dialect: as it is
  }
}

export const streamTypeOf = ({ streamType }: Dialect) => ({ 'content-type': `${streamType}; charset=utf-8` })
