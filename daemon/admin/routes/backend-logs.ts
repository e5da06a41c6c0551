import { setTimeout as pause } from 'node:timers/promises'
import { backendLogsQuery } from '../../../schemas/admin.ts'
import { escapeControls } from '../../../syntax/terminal/log-line.ts'
import { AdminError } from '../error.ts'
import { stream } from '../reply.ts'
import { type ApiRoute, apiRoute } from '../route.ts'
import { type AdminBackends, agentOf } from './backends.ts'

/** Below what one agent takes (16 connections), so that orders always get through. */
const MOST_FOLLOWERS = 8
/** A follower of a silent backend learns that it follows after this long; refusals come sooner. */
const FIRST_ENTRY_MS = 2_000

type Wanted = { readonly lines: number; readonly follow: boolean }

/** What backends log, and what happened to their containers. */
export function backendLogRoutes({ backends }: { readonly backends: AdminBackends }): readonly ApiRoute[] {
  let followers = 0

  /** The answer begins once the agent has said something. @throws AdminError */
  async function entriesOf(of: 'logs' | 'events', name: string, wanted: Wanted, signal: AbortSignal) {
    if (wanted.follow && followers >= MOST_FOLLOWERS)
      throw new AdminError('TOO_MANY_FOLLOWERS', `${MOST_FOLLOWERS} clients already follow the logs of backends`)
    const agent = agentOf(backends, name)
    if (wanted.follow) {
      followers += 1
      signal.addEventListener('abort', () => (followers -= 1), { once: true })
    }
    const entries: AsyncGenerator<unknown> = agent[of](wanted, signal)
    const first = entries.next()
    try {
      await Promise.race([first, wanted.follow ? pause(FIRST_ENTRY_MS, undefined, { signal }) : first])
    } catch (error) {
      first.catch(() => {}) // the same failure
      throw signal.aborted ? new AdminError('GIVEN_UP', 'the client has left', { cause: error }) : error
    }
    return stream('application/x-ndjson', linesOf(first, entries, signal))
  }

  const row = (of: 'logs' | 'events', summary: string): ApiRoute =>
    apiRoute({
      method: 'GET',
      path: `/api/admin/backends/{name}/${of}`,
      scope: 'admin',
      summary,
      query: backendLogsQuery,
      answer: 'stream',
      handle: ({ params: { name = '' }, query: { n, follow }, signal }) =>
        entriesOf(of, name, { lines: n, follow }, signal),
    })

  return [
    row('logs', 'Sends the journal of a backend, with follow=true also what comes, as newline-delimited JSON'),
    row('events', 'Sends what happened to the container of a backend, as newline-delimited JSON'),
  ]
}

async function* linesOf(
  first: Promise<IteratorResult<unknown>>,
  entries: AsyncGenerator<unknown>,
  signal: AbortSignal,
): AsyncGenerator<string> {
  try {
    for (let entry = await first; entry.done !== true; entry = await entries.next())
      yield `${escapeControls(JSON.stringify(entry.value))}\n`
  } catch (error) {
    if (!signal.aborted) throw error // when it was the reader who left, nothing is lost
  } finally {
    await entries.return(undefined)
  }
}
