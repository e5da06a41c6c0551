import { append } from './append.ts'
import type { NeutralMessage, NeutralPart } from './neutral.ts'

/**
 * The same conversation with the results of tools right after their calls: providers refuse what is said between two
 * of them, though some clients keep it there.
 */
export function withResultsFirst(messages: readonly NeutralMessage[]): readonly NeutralMessage[] {
  const ordered: NeutralMessage[] = []
  let results: NeutralPart[] = []
  /** What the message of the first results says besides. */
  let beside: readonly NeutralPart[] = []
  let said: NeutralMessage[] = []
  const endTurn = () => {
    if (results.length > 0) ordered.push({ role: 'user', parts: [...results, ...beside] })
    for (const message of said) ordered.push(message)
    results = []
    beside = []
    said = []
  }
  for (const message of messages) {
    if (message.role === 'assistant') {
      endTurn()
      ordered.push(message)
      continue
    }
    const own = message.parts.filter(isResult)
    const rest = own.length === 0 ? message.parts : message.parts.filter((part) => !isResult(part))
    if (own.length > 0 && results.length === 0 && said.length === 0) beside = rest
    else if (own.length === 0 || rest.length > 0) said.push({ ...message, parts: rest })
    append(results, own)
  }
  endTurn()
  return ordered
}

const isResult = ({ kind }: NeutralPart): boolean => kind === 'result'
