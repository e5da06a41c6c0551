import type { LogRecord } from '../../../schemas/words/log.ts'
import { textLine } from '../../../syntax/terminal/log-line.ts'
import { usageFailure } from '../../failure.ts'
import type { Run } from '../../invocation.ts'

export const run: Run = async ({ admin, json, text, flag, print }) => {
  const lines = text('lines') ?? '100'
  if (!/^\d{1,6}$/.test(lines)) throw usageFailure(`--lines: "${lines}" is not a number of lines`, 'gatectl logs -n 20')
  const query = { n: lines, level: text('level') ?? 'debug', follow: String(flag('follow')) }
  for await (const line of admin.lines('/api/admin/logs', query)) {
    print(json ? line : textLine(JSON.parse(line) as LogRecord)) // the daemon's test checks the shape
  }
  return 0
}
