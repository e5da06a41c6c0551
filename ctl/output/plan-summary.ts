/** One thing that a plan does, as `--json` prints it. */
export type PlanStep = {
  readonly action: 'create' | 'change' | 'remove' | 'start' | 'restart' | 'reload' | 'stop'
  readonly what:
    | 'group'
    | 'user'
    | 'ids'
    | 'directory'
    | 'owner'
    | 'secret'
    | 'image'
    | 'file'
    | 'link'
    | 'unit'
    | 'variable'
    | 'manager'
    | 'generation'
  readonly name: string
  readonly why: string
  readonly diff?: string
}

/** The same with whose it is: `backend qwen`, `gateway` or `host`. */
export type PlanLine = PlanStep & { readonly owner: string }

/** What a plan does to each backend, to the gateway and to the host, in one line each. */
export function summaryLines(lines: readonly PlanLine[]): string[] {
  const shown = lines.filter(({ what }) => what !== 'generation')
  const owners = [...Map.groupBy(shown, ({ owner }) => owner)].sort(([a], [b]) => rank(a) - rank(b))
  const width = Math.max(0, ...owners.map(([owner]) => owner.length))
  return owners.map(([owner, own]) => `${sign(own)} ${owner.padEnd(width)}  ${actionsText(own)}`)
}

/** Backends first, in the order in which they come. */
function rank(owner: string): number {
  if (owner === 'host') return 2
  return owner === 'gateway' ? 1 : 0
}

function sign(lines: readonly PlanLine[]): '+' | '-' | '~' {
  if (lines.some(({ action, what }) => action === 'create' && what === 'user')) return '+'
  return lines.some(({ action, what }) => action === 'stop' && what === 'user') ? '-' : '~'
}

/** Such as "create user gate-qwen and 4 files; restart gate-qwen.service". */
function actionsText(lines: readonly PlanLine[]): string {
  return [...Map.groupBy(lines, verb)]
    .map(([action, own]) => {
      const parts = [...Map.groupBy(own, ({ what }) => what)].map(([what, same]) => thingsText(action, what, same))
      return `${action} ${parts.join(', ')}`
    })
    .join('; ')
}

function verb({ action, what, why }: PlanLine): string {
  if (action !== 'change' || what !== 'unit') return action
  return why === 'starts at boot' ? 'enable' : 'disable'
}

/** What is new is counted; what is changed, restarted or stopped is worth its name. */
function thingsText(action: string, what: PlanLine['what'], lines: readonly PlanLine[]): string {
  const most = ['create', 'enable', 'start'].includes(action) ? 1 : 3
  if (lines.length > most) return `${lines.length} ${PLURALS[what]}`
  return lines.map((line) => thingText(action, line)).join(', ')
}

const PLURALS = {
  group: 'groups',
  user: 'users',
  ids: 'ranges of ids',
  directory: 'directories',
  owner: 'owners',
  secret: 'secrets',
  image: 'images',
  file: 'files',
  link: 'links',
  unit: 'units',
  variable: 'variables',
  manager: 'managers',
  generation: 'generations',
} as const satisfies Record<PlanLine['what'], string>

function thingText(action: string, { what, name, owner }: PlanLine): string {
  switch (what) {
    case 'ids':
      return 'its subordinate ids'
    case 'image':
      return `image ${name.replace(/@sha256:.*/, '')}`
    case 'file':
      return owner === 'host' ? name : name.slice(name.lastIndexOf('/') + 1)
    case 'unit':
      return name.replace(/ of .*/, '')
    case 'user':
      return action === 'start' ? 'its user manager' : `user ${name}`
    case 'link':
      return 'the link to its units'
    case 'owner':
      return `the owner of ${name}`
    case 'directory':
    case 'group':
    case 'secret':
    case 'variable':
    case 'manager':
    case 'generation':
      return `${what} ${name}`
  }
}
