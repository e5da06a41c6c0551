import { z } from 'zod'
import { type ApiRoute, nameOf } from '../daemon/admin/route.ts'
import { describedRoutes } from '../test/support/api-routes.ts'

const AREAS = [
  { title: 'Signing in', prefix: '/auth/' },
  { title: 'For every user', prefix: '/api/user/' },
  { title: 'For operators', prefix: '/api/admin/' },
] as const

const INTRODUCTION = `# The API

<!-- generated from daemon/admin/table.ts by scripts/generate.ts -->

One table of routes is served at two doors: over HTTP(S), to clients whose credential has the scope that a route needs, and on the admin socket, whose group may do
everything. \`GET /api/openapi.json\` has all of it as OpenAPI 3.1, with the shape of every query, body and answer.

\`\`\`sh
curl -H "Authorization: Bearer $KEY" http://localhost:3000/api/admin/system
curl --unix-socket /run/gate/admin.sock http://gate/api/admin/system
\`\`\`

- A credential goes in \`Authorization: Bearer\`, \`x-api-key\`, \`api-key\`, \`x-goog-api-key\`, \`?key=\`, or the cookie of a session (\`__Host-se_session\`, over plain HTTP \`se_session\`). Two different ones in one request are refused.
- Bodies are JSON of at most 1 MiB and 64 levels, with \`Content-Type: application/json\`. Members that a route does not know are refused.
- A refusal is \`application/problem+json\` (RFC 9457) with a \`code\` of [error-codes.md](error-codes.md), a \`detail\` that says what is wrong, and often a \`hint\` that says what to do.
- What belongs to another user is answered as if it were not there.
- The scope \`admin\` includes all others. \`config:write\` changes \`upstreams\`, \`backends\`, \`models\` and \`categories\`; every other key of the configuration takes \`admin\`.
- Changes are written to the audit with what was before and after.
- \`server.admin_allow_from\` lists the addresses that may use the routes of operators: those with the scope \`config:read\`,
  \`config:write\` or \`admin\`.
- The admin socket still knows the names that it had before, \`/v1/status\`, \`/v1/config\` and so on; they go with the next release.
`

/** docs/api.md */
export function apiReference(): string {
  const routes = describedRoutes()
  const areas = AREAS.map(({ title, prefix }) => [title, routes.filter(({ path }) => path.startsWith(prefix))] as const)
  const rest = routes.filter(({ path }) => !AREAS.some(({ prefix }) => path.startsWith(prefix)))
  const sections = [...areas, ['Besides', rest] as const].filter(([, rows]) => rows.length > 0)
  return [INTRODUCTION, ...sections.map(([title, rows]) => sectionOf(title, rows))].join('\n')
}

function sectionOf(title: string, rows: readonly ApiRoute[]): string {
  const lines = rows
    .toSorted((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0))
    .map((route) => `| \`${nameOf(route)}\` | ${scopeText(route)} | ${route.summary}${partsOf(route)} |`)
  return [`## ${title}`, '', '| route | scope | what it does |', '|---|---|---|', ...lines, ''].join('\n')
}

const scopeText = ({ scope }: ApiRoute): string =>
  scope === 'public' ? 'none' : scope === 'signed-in' ? 'any' : scope === 'person' ? 'a person' : `\`${scope}\``

function partsOf({ query, body }: ApiRoute): string {
  const members = { query: query && membersOf(query), body: body && membersOf(body) }
  const named = Object.entries(members).filter(([, names]) => names !== undefined && names !== '')
  return named.map(([part, names]) => `; ${part}: ${names}`).join('')
}

function membersOf(shape: z.ZodType): string {
  const { properties, required = [], anyOf } = z.toJSONSchema(shape, { io: 'input', unrepresentable: 'any' })
  const all = properties ?? Object.assign({}, ...(anyOf ?? []).map((one) => one.properties ?? {}))
  const names = Object.keys(all as object)
  return names.map((name) => `\`${name}\`${properties !== undefined && !required.includes(name) ? '?' : ''}`).join(', ')
}
