import type { AdminProblem } from '../schemas/admin.ts'
import type { RelayAnswers, RelayRoute } from '../schemas/relay-admin.ts'
import { Failure, failure } from './failure.ts'
import { socketTransport } from './socket-transport.ts'

/** Asks a relay of this host. @throws Failure: no relay, no permission, or a refusal */
export type AskRelay = <R extends RelayRoute>(route: R, body?: object) => Promise<RelayAnswers[R]>

/** @param socket of `--socket`; absent: that of the instance */
export function relayClient(instance: string, socket: string | undefined): AskRelay {
  const path = socket ?? `/run/gate-relay/${instance}/admin.sock`
  const transport = socketTransport([path])
  return async <R extends RelayRoute>(route: R, body?: object) => {
    const [method = '', at = ''] = route.split(' ')
    const response = await transport
      .send({ method, path: at, ...(body !== undefined && { body }) })
      .catch(noRelay(path))
    let text = ''
    response.setEncoding('utf8')
    for await (const part of response) text += part
    const answer: unknown = jsonOf(text)
    if (response.statusCode === 200 && answer !== undefined) return answer as RelayAnswers[R] // its test checks shapes
    if (typeof answer === 'object' && answer !== null && 'detail' in answer && 'code' in answer) {
      throw new Failure(answer as AdminProblem) // the members that are read are there
    }
    throw failure('BAD_ANSWER', `${path} answered ${response.statusCode}, but not as gate-relay does`)
  }
}

function noRelay(path: string) {
  return (error: unknown): never => {
    if (!(error instanceof Failure) || error.problem.code !== 'NO_DAEMON') throw error
    const hint = 'start it: systemctl start gate-relay@INSTANCE, or name it by --instance or --socket'
    throw failure('NO_DAEMON', `no gate-relay answers at ${path}`, { hint, cause: error })
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
