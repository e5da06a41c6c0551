import type { IncomingMessage } from 'node:http'
import type { AdminProblem } from '../schemas/admin.ts'
import type { ApiAnswers, ApiRouteName } from '../schemas/api/answers.ts'
import { Failure, failure } from './failure.ts'
import { lost } from './socket-transport.ts'
import type { Transport } from './transport.ts'

type Ask = {
  /** Replaces the one `{name}` of the route, or the `:` at its end. */
  readonly parameter?: string
  /** Replaces each `{name}` of the route. */
  readonly parameters?: Readonly<Record<string, string>>
  readonly query?: Readonly<Record<string, string>>
  readonly body?: unknown
  /** Gives up sooner. */
  readonly signal?: AbortSignal
  /** Longest wait for the answer; 30 s when absent. */
  readonly timeoutMs?: number
}

/**
 * Speaks the admin API of schemas/admin.ts. Every method fails with Failure: no daemon, no permission, or a refusal.
 */
export type AdminClient = {
  ask<R extends ApiRouteName>(route: R, ask?: Ask): Promise<ApiAnswers[R]>
  /** The lines of an answer of newline-delimited JSON, as they arrive. */
  lines(path: string, query: Readonly<Record<string, string>>): AsyncIterable<string>
  /** Where that is, for people: the socket, or the URL of a gateway. */
  to(): Promise<string>
}

/** @param choose the way to the daemon, once something is asked of it */
export function createClient(choose: () => Promise<Transport>): AdminClient {
  let chosen: Promise<Transport> | null = null
  const way = () => {
    chosen ??= choose()
    return chosen
  }

  return {
    to: async () => (await way()).to,
    ask: async <R extends ApiRouteName>(route: R, { parameter = '', parameters = {}, query, ...wanted }: Ask = {}) => {
      const [method = '', pattern = ''] = route.split(' ')
      const filled = pattern.replace(/\{(\w+)\}|:$/g, (_, name: string) =>
        encodeURIComponent(parameters[name] ?? parameter),
      )
      const path = filled + queryText(query)
      const transport = await way()
      const response = await transport.send({ ...wanted, method, path })
      const answer = await readJson(response, transport)
      if (isSuccess(response)) return answer as ApiAnswers[R] // the daemon's test checks every answer's shape
      throw refusal(response, answer, transport)
    },
    lines: async function* (path, query) {
      const transport = await way()
      const response = await transport.send({ method: 'GET', path: path + queryText(query) })
      if (response.statusCode !== 200) throw refusal(response, await readJson(response, transport), transport)
      let rest = ''
      for await (const chunk of chunksOf(response, transport)) {
        const lines = (rest + chunk).split('\n')
        rest = lines.pop() ?? ''
        yield* lines
      }
    },
  }
}

const isSuccess = ({ statusCode = 0 }: IncomingMessage): boolean => statusCode >= 200 && statusCode < 300

function queryText(query: Readonly<Record<string, string>> = {}): string {
  const text = new URLSearchParams(query).toString()
  return text === '' ? '' : `?${text}`
}

async function readJson(response: IncomingMessage, transport: Transport): Promise<unknown> {
  let text = ''
  for await (const chunk of chunksOf(response, transport)) text += chunk
  if (!/^application\/(problem\+)?json\b/.test(response.headers['content-type'] ?? ''))
    throw refusal(response, undefined, transport)
  try {
    return JSON.parse(text)
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause
    throw refusal(response, undefined, transport)
  }
}

async function* chunksOf(response: IncomingMessage, { to }: Transport): AsyncIterable<string> {
  response.setEncoding('utf8')
  try {
    yield* response as AsyncIterable<string>
  } catch (cause) {
    throw lost(to, cause)
  }
}

function refusal(response: IncomingMessage, answer: unknown, { to, remedy }: Transport): Failure {
  if (typeof answer === 'object' && answer !== null && 'detail' in answer && 'code' in answer) {
    return new Failure(answer as AdminProblem) // the members that are read are there
  }
  const detail = `${to} answered ${response.statusCode}, but not as gate-daemon does`
  return failure('BAD_ANSWER', detail, { hint: remedy })
}
