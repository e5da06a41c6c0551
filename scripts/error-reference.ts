import {
  ADMIN_CODES,
  AGENT_CODES,
  CONFIG_CODES,
  GATECTL_CODES,
  HOST_CODES,
  NO_AGENT_CODES,
} from '../schemas/words/error-codes.ts'
import { ERRORS } from '../schemas/words/errors.ts'

type Code = { readonly status?: number; readonly exit?: number; readonly meaning?: string }

/** docs/error-codes.md: every code that gatectl and the admin API fail with. */
export function errorReference(): string {
  return `# Error codes

Generated from \`schemas/words/error-codes.ts\` by \`npm run generate\`. \`gatectl --json\` prints a failure as one line of JSON on standard error, the
admin API answers with the same shape (RFC 9457): \`code\` stays from version to version, \`detail\` and \`hint\` are for people and do not.

## gatectl

${table('exit code', GATECTL_CODES, ({ exit = 1 }) => exit)}

A failure of the daemon or of the host, below, exits with 1.

## The host

What \`gatectl plan\`, \`apply\`, \`rollback\` and \`uninstall\` find.

${table('exit code', HOST_CODES, () => 1)}

## The admin API

${statuses(ADMIN_CODES)}

## Agents of backends

The admin API hands on what an agent says, and says when there is none.

${statuses({ ...AGENT_CODES, ...NO_AGENT_CODES })}

## Configuration

\`gatectl config validate\` and \`gatectl status\` list them; an edit that has one is refused with this status.

${statuses(CONFIG_CODES)}

## Requests to the gateway

What a client is refused with is in the form of its own dialect; \`code\` is one of ${Object.keys(ERRORS)
    .map((code) => `\`${code}\``)
    .join(', ')}.
`
}

const statuses = (codes: Readonly<Record<string, Code>>) => table('HTTP status', codes, ({ status = 500 }) => status)

function table(column: string, codes: Readonly<Record<string, Code>>, number: (code: Code) => number): string {
  const rows = Object.entries(codes).map(([code, row]) => `| \`${code}\` | ${number(row)} | ${row.meaning} |`)
  return [`| code | ${column} | |`, '| --- | --- | --- |', ...rows].join('\n')
}
