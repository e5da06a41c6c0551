import type { AdminProblem } from '../schemas/admin.ts'
import type { RelayAnswers, RelayRoute } from '../schemas/relay-admin.ts'
import { Failure, failure } from './failure.ts'
import { socketTransport } from './socket-transport.ts'

/** Asks a relay of this host. @throws Failure: no relay, no permission, or a refusal */
export type AskRelay = <R extends RelayRoute>(route: R, body?: object) => Promise<RelayAnswers[R]>

/** @param paths sockets to try, in order */
export function relayClient(instance: string, paths: readonly string[]): AskRelay {
  const transport = socketTransport(paths)
  const places = paths.join(' or ')
  return async <R extends RelayRoute>(route: R, body?: object) => {
    const [method = '', at = ''] = route.split(' ')
    const response = await transport
      .send({ method, path: at, ...(body !== undefined && { body }) })
      .catch(noRelay(instance, places))
    let text = ''
    response.setEncoding('utf8')
    for await (const part of response) text += part
    const answer: unknown = jsonOf(text)
    if (response.statusCode === 200 && answer !== undefined) return answer as RelayAnswers[R] // its test checks shapes
    if (typeof answer === 'object' && answer !== null && 'detail' in answer && 'code' in answer) {
      throw new Failure(answer as AdminProblem) // the members that are read are there
    }
    throw failure('BAD_ANSWER', `the relay at ${places} answered ${response.statusCode}, but not as gate-relay does`)
  }
}

function noRelay(instance: string, places: string) {
  return (error: unknown): never => {
    if (!(error instanceof Failure)) throw error
    const { code, hint: remedy } = error.problem
    const start = `systemctl start gate-relay@${instance} (as a service), or gate-relay --instance ${instance} (by hand)`
    const hint = code === 'NO_DAEMON' ? `start it: ${start};\nor name its socket: --socket PATH` : remedy
    if (code !== 'NO_DAEMON' && code !== 'NO_PERMISSION') throw error
    const why = code === 'NO_DAEMON' ? '' : ': permission denied'
    throw failure(code, `no gate-relay answers at ${places}${why}`, {
      ...(hint !== undefined && { hint }),
      cause: error,
    })
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
