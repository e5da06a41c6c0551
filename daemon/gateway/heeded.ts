import { GateError } from '../../schemas/words/errors.ts'
import { providerRow } from '../../schemas/words/providers.ts'
import type { Target } from '../route/target-health.ts'
import type { Job } from './job.ts'

/**
 * Notes what a request says of its way and nothing heeds, and leaves out of what its upstream is not told of what Gate
 * has heeded itself.
 * @returns why this target may not be asked: it is not told of every field, and the request insists on that; null: it may
 */
export function heeded({ answer, asked, unheeded }: Job, target: Target, provider: string): GateError | null {
  const { routing } = asked
  if (routing === undefined) return null
  const untold = answer.dropped.filter((name) => name !== 'models' && name !== 'provider')
  answer.dropped = providerRow(provider).routes === true ? untold : [...unheeded, ...untold]
  if (!routing.needsAll || untold.length === 0) return null
  const name = `"${target.upstream}/${target.model}"`
  const message = `${name} takes no ${untold.slice(0, MOST_NAMED).join(', ')}, and provider.require_parameters asks for that`
  return new GateError('BAD_REQUEST', message.slice(0, LONGEST_MESSAGE), { param: 'provider.require_parameters' })
}

const MOST_NAMED = 10
const LONGEST_MESSAGE = 1_000
