import type { BackendEvent } from '../../../schemas/agent.ts'
import { escapeControls } from '../../../syntax/terminal/log-line.ts'
import { usageFailure } from '../../failure.ts'
import type { Run } from '../../invocation.ts'

export const run: Run = async ({ admin, arguments: [name = ''], json, text, flag, print }) => {
  const lines = text('lines') ?? '100'
  if (!/^\d{1,6}$/.test(lines))
    throw usageFailure(`--lines: "${lines}" is not a number`, 'gatectl backend events NAME -n 20')
  const query = { n: lines, follow: String(flag('follow')) }
  for await (const line of admin.lines(`/api/admin/backends/${encodeURIComponent(name)}/events`, query)) {
    print(json ? line : eventText(JSON.parse(line) as BackendEvent)) // the daemon has checked the shape
  }
  return 0
}

function eventText({ time, event, exit_code, reason }: BackendEvent): string {
  const code = exit_code === undefined ? '' : ` with code ${exit_code}`
  const why = reason === undefined ? '' : `: ${escapeControls(reason)}`
  return `${time} ${event}${code}${why}`
}
