/** What the daemon says when it has started: where it is, its first key (this once), a request to try. */
export function welcome(start: {
  /** What it listens on; the first one is for plain HTTP on `server.port`. */
  readonly urls: readonly string[]
  /** Where clients reach it; undefined: at the first of `urls`. */
  readonly external: string | undefined
  /** Why no client is served. */
  readonly closed: string | undefined
  readonly key: string | null
  /** Whether any client has a key, or needs none. */
  readonly hasKey: boolean
  readonly isOpen: boolean
  readonly isJournal: boolean
  /** What a person types to run gatectl. */
  readonly gatectl: string
  /** A request that any installation can answer. */
  readonly example: { readonly path: string; readonly body: string }
}): string {
  if (start.isJournal) return ''
  const listens = `Gate listens on ${start.urls.join(' and ')}`
  if (start.closed !== undefined) return `\n${listens}\n\n  It is closed: ${start.closed}\n\n`
  const key = start.key ?? '$GATE_KEY'
  const authorization = start.isOpen ? '' : ` \\\n    -H 'Authorization: Bearer ${start.key ?? '\'"$GATE_KEY"\''}'`
  const shown = start.key === null ? '' : `\n  Your key, shown this once:\n\n    ${key}\n`
  const create = `${start.gatectl} token create`
  const lost = !start.hasKey
    ? `\n  There is no key yet. This makes one and shows it to you alone: ${create}\n  (in a container: podman exec NAME ${create})\n`
    : start.key === null && !start.isOpen
      ? `\n  GATE_KEY is a key you have; another: ${create}\n`
      : ''
  const reached = start.external === undefined ? '' : `Clients use ${start.external}\n`
  return `
${listens}
${reached}${shown}
  Try it:

  curl ${start.external ?? start.urls[0]}${start.example.path}${authorization} \\
    -H 'Content-Type: application/json' \\
    -d '${start.example.body}'

  Add "stream":true to see it token by token.

  What runs: ${start.gatectl} status
${lost}
`
}
