import { z } from 'zod'
import { flag, number } from '../../../schemas/admin.ts'
import { LOG_LEVELS, type LogRecord } from '../../../schemas/words/log.ts'
import { jsonLine } from '../../../syntax/terminal/log-line.ts'
import { AdminError } from '../error.ts'
import { createFollowers } from '../followers.ts'
import { stream } from '../reply.ts'
import { type ApiRoute, apiRoute } from '../route.ts'

export type LogParts = {
  readonly logs: {
    recent(count: number): readonly LogRecord[]
    /** @returns a function that stops it */
    follow(listener: (record: LogRecord) => void): () => void
  }
}

const MOST_FOLLOWERS = 16
/** A follower that leaves this much unread is let go: the log never waits for a reader. */
const LARGEST_BACKLOG_BYTES = 2 ** 20
const LINES = 'application/x-ndjson'

/** The log of the daemon itself. */
export function logRoutes({ logs }: LogParts): readonly ApiRoute[] {
  const followers = createFollowers(MOST_FOLLOWERS, LARGEST_BACKLOG_BYTES)
  return [
    apiRoute({
      method: 'GET',
      path: '/api/admin/logs',
      scope: 'admin',
      summary: 'Sends the last lines of the log, and with follow=true those that come, as newline-delimited JSON',
      query: z.strictObject({
        n: number(0, 999_999).default(100),
        level: z.enum(LOG_LEVELS).default('debug'),
        follow: flag.default(false),
      }),
      answer: 'stream',
      handle: ({ query: { n, level, follow }, signal }) => {
        const threshold = LOG_LEVELS.indexOf(level)
        const wanted = (record: LogRecord) => LOG_LEVELS.indexOf(record.level) <= threshold
        const past = n === 0 ? [] : logs.recent(Number.MAX_SAFE_INTEGER).filter(wanted).slice(-n)
        const lines = past.map((record) => `${jsonLine(record)}\n`)
        if (!follow) return stream(LINES, once(lines))
        if (followers.isFull())
          throw new AdminError('TOO_MANY_FOLLOWERS', `${MOST_FOLLOWERS} clients already follow the log`)
        const source = (push: (line: string) => void) =>
          logs.follow((record) => {
            if (wanted(record)) push(`${jsonLine(record)}\n`)
          })
        return stream(LINES, followers.follow(lines, source, signal))
      },
    }),
  ]
}

async function* once(lines: readonly string[]): AsyncGenerator<string> {
  if (lines.length > 0) yield lines.join('')
}
