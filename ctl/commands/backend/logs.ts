import type { BackendLogEntry } from '../../../schemas/agent.ts'
import { escapeControls } from '../../../syntax/terminal/log-line.ts'
import { usageFailure } from '../../failure.ts'
import type { Run } from '../../invocation.ts'

export const run: Run = async ({ admin, arguments: [name = ''], json, text, flag, print }) => {
  const lines = text('lines') ?? '100'
  if (!/^\d{1,6}$/.test(lines))
    throw usageFailure(`--lines: "${lines}" is not a number of lines`, 'gatectl backend logs NAME -n 20')
  const lineText = flag('timestamps') ? dockerText : entryText
  const query = { n: lines, follow: String(flag('follow')) }
  for await (const line of admin.lines(`/api/admin/backends/${encodeURIComponent(name)}/logs`, query)) {
    print(json ? line : lineText(JSON.parse(line) as BackendLogEntry)) // the daemon has checked the shape
  }
  return 0
}

function entryText({ time, unit, message }: BackendLogEntry): string {
  return `${time} ${unit.replace(/\.service$/, '')}: ${escapeControls(message)}`
}

function dockerText({ time, message }: BackendLogEntry): string {
  return `${time} ${escapeControls(message)}`
}
