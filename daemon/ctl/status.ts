import type { DaemonStatus } from '../../schemas/admin.ts'
import type { Run } from './invocation.ts'
import { problemLines } from './problem-lines.ts'
import { table } from './table.ts'

export const run: Run = async ({ admin, json, print, printJson }) => {
  const status = await admin.ask('GET /v1/status')
  if (json) printJson(status)
  else print(statusText(status))
  return 0
}

function statusText(status: DaemonStatus): string {
  const { state, version, pid, started_at, listen, requests_in_flight, store, upstreams, problems } = status
  const lines = [
    `gate-daemon ${version}, ${state}, process ${pid}, since ${started_at}`,
    `listening   ${listen.join(', ') || '-'}`,
    `in flight   ${requests_in_flight} requests`,
    `store       ${store.path}, ${store.backlog_rows} rows to write${store.last_error === undefined ? '' : `: ${store.last_error}`}`,
    '',
    table(
      ['UPSTREAM', 'PROVIDER', 'STATE', 'MODELS', 'LAST ERROR'],
      upstreams.map((u) => [u.name, u.provider, u.state, String(u.models_count), u.last_error ?? '']),
    ),
  ]
  if (problems.length === 0) return lines.join('\n')
  lines.push('', 'problems of the configuration:')
  return [...lines, ...problems.flatMap(problemLines).map((line) => `  ${line}`)].join('\n')
}
