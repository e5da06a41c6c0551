import type { ServerResponse } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import { backendLogsQuery } from '../../../schemas/admin.ts'
import { escapeControls } from '../../../syntax/terminal/log-line.ts'
import { pacedWrite } from '../../../wire/paced-write.ts'
import { AdminError, parseRequest } from '../error.ts'
import { type AdminBackends, agentOf } from './backends.ts'

/** Below what one agent takes (16 connections), so that orders always get through. */
const MOST_FOLLOWERS = 8
/** A follower of a silent backend learns that it follows after this long; refusals come sooner. */
const FIRST_ENTRY_MS = 2_000
/** A follower that does not read for this long is let go: the log never waits for a reader. */
const STALLED_MS = 30_000

/**
 * Sends the journal of a backend, or what happened to its container, with `follow` until the caller leaves. The answer
 * begins once its agent has said something.
 * @param followers those of all backends; this one is among them while it lasts
 * @throws AdminError before the first line, never after it
 */
export async function sendBackendLogs(
  { backends, followers }: { readonly backends: AdminBackends; readonly followers: Set<ServerResponse> },
  { of, name }: { readonly of: 'logs' | 'events'; readonly name: string },
  query: URLSearchParams,
  response: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  const { n, follow } = parseRequest(backendLogsQuery, Object.fromEntries(query))
  if (follow && followers.size >= MOST_FOLLOWERS)
    throw new AdminError('TOO_MANY_FOLLOWERS', `${MOST_FOLLOWERS} clients already follow the logs of backends`)
  const agent = agentOf(backends, name)
  if (follow) followers.add(response)
  response.once('close', () => followers.delete(response))
  const entries: AsyncGenerator<unknown> = agent[of]({ lines: n, follow }, signal)
  const first = entries.next()
  try {
    await Promise.race([first, follow ? pause(FIRST_ENTRY_MS, undefined, { signal }) : first])
  } catch (error) {
    first.catch(() => {}) // the same failure
    if (signal.aborted) return
    throw error
  }
  response.writeHead(200, { 'content-type': 'application/x-ndjson' })
  response.flushHeaders()
  try {
    for (let entry = await first; entry.done !== true; entry = await entries.next()) {
      await pacedWrite(response, `${escapeControls(JSON.stringify(entry.value))}\n`, STALLED_MS)
    }
    response.end()
  } catch {
    // cut, not ended: the caller must not take this for the end of the log. When it was he who left, nothing is lost.
    if (signal.aborted) response.end()
    else response.destroy()
  } finally {
    await entries.return(undefined)
  }
}
