import type { Planned } from '../../host/deploy.ts'
import type { Plan } from '../../host/plan/plan.ts'
import type { Planted } from '../../host/plan/planted.ts'
import type { HostProblem } from '../../host/problem.ts'
import { type Owners, ownersOf } from './plan-owners.ts'
import { type PlanLine, type PlanStep, summaryLines } from './plan-summary.ts'
import { printable } from './printed.ts'
import { unifiedDiff } from './unified-diff.ts'

/** A plan as a list, in the order in which it is carried out. */
export function planLines({ plan, observed }: Pick<Planned, 'plan' | 'observed'>): PlanLine[] {
  const owners = ownersOf(plan, observed)
  const created = (what: PlanLine['what'], names: readonly string[], why: string): PlanLine[] =>
    names.map((name) => ({ action: 'create', what, name, why, owner: owners.ofPath(name) }))
  return [
    ...created('group', plan.groups, 'not there'),
    ...plan.accounts.flatMap((change) => accountLines(change, owners)),
    ...plan.planted.flatMap((planted) => plantedLines(planted, owners)),
    ...created('directory', plan.directories, 'not there'),
    ...plan.ownership.map(({ path, from, to }): PlanLine => {
      return { action: 'change', what: 'owner', name: path, why: `${from} -> ${to}`, owner: owners.ofPath(path) }
    }),
    ...created('secret', plan.secrets, 'made once and kept'),
    ...plan.images.map(({ image, user, archive }): PlanLine => {
      const why = archive === undefined ? `${user} does not have it: pull` : `${user} does not have it: ${archive}`
      return { action: 'create', what: 'image', name: image, why, owner: owners.ofAccount(user) }
    }),
    ...plan.files.map(({ kind, place, why, before, after }): PlanLine => {
      const diff = kind === 'change' ? unifiedDiff(before, after, { before: place, after: place }) : undefined
      const owner = owners.ofPath(place)
      return { action: kind, what: 'file', name: place, why, ...(diff === undefined ? {} : { diff }), owner }
    }),
    ...plan.links.map(({ kind, path, target }): PlanLine => {
      return { action: kind, what: 'link', name: path, why: target, owner: owners.ofPath(path) }
    }),
    ...plan.enable.map((name) => bootLine(name, 'starts at boot', owners)),
    ...plan.disable.map((name) => bootLine(name, 'no longer starts at boot', owners)),
    ...plan.units.map(({ action, unit, why }): PlanLine => {
      const name = unit.manager === 'system' ? unit.name : `${unit.name} of ${unit.manager}`
      return { action, what: 'unit', name, why, owner: owners.ofUnit(unit) }
    }),
    ...plan.retired.map((user): PlanLine => {
      const why = 'no longer in the spec; the account and its data stay'
      return { action: 'stop', what: 'user', name: user, why, owner: owners.ofAccount(user) }
    }),
    ...(plan.isUnsettled ? [generationLine(plan)] : []),
  ]
}

/** What `--json` prints. */
export function planJson(lines: readonly PlanLine[]): PlanStep[] {
  return lines.map(({ owner: _, ...step }) => step)
}

function bootLine(name: string, why: string, owners: Owners): PlanLine {
  return { action: 'change', what: 'unit', name, why, owner: owners.ofPath(name) }
}

function accountLines(change: Plan['accounts'][number], owners: Owners): PlanLine[] {
  const { account, isNew, joins, leaves, needsSubuids, needsSubgids, needsLinger } = change
  const { name, uid, subuid } = account
  const lines: PlanStep[] = []
  if (isNew) lines.push({ action: 'create', what: 'user', name, why: uid === undefined ? 'not there' : `id ${uid}` })
  else if (joins.length > 0) lines.push({ action: 'change', what: 'user', name, why: `joins ${joins.join(', ')}` })
  if (leaves.length > 0) lines.push({ action: 'change', what: 'user', name, why: `leaves ${leaves.join(', ')}` })
  if (subuid !== undefined && (needsSubuids || needsSubgids)) {
    const why = `subordinate ids ${subuid.start}-${subuid.start + subuid.count - 1}`
    lines.push({ action: 'create', what: 'ids', name, why })
  }
  if (needsLinger) lines.push({ action: 'start', what: 'user', name, why: 'its manager runs from boot on' })
  return lines.map((line) => ({ ...line, owner: owners.ofAccount(name) }))
}

function plantedLines({ user, untaken, inHome, inRuntime, jobs, loaded }: Planted, owners: Owners): PlanLine[] {
  const own = (action: 'change' | 'remove', what: 'directory' | 'file', paths: readonly string[], why: string) =>
    paths.map((name): PlanLine => ({ action, what, name, why, owner: owners.ofAccount(user) }))
  return [
    ...own('change', 'directory', untaken, "becomes root's"),
    ...own('remove', 'file', inHome, `made by ${user}: moved to .moved-aside in its home, and the account starts anew`),
    ...own('remove', 'file', [...inRuntime, ...jobs], `made by ${user}: the account starts anew`),
    ...loaded.map(({ what, name, why }): PlanLine => {
      const anew = `made by ${user}, ${why}: the account starts anew`
      return { action: 'remove', what, name, why: anew, owner: owners.ofAccount(user) }
    }),
  ]
}

function generationLine({ number }: Plan): PlanLine {
  const owner = 'host'
  if (number === undefined)
    return { action: 'create', what: 'generation', name: 'new', why: 'it differs on this host', owner }
  const why = 'it is not the one running, or was never seen to work'
  return { action: 'change', what: 'generation', name: `${number}`, why, owner }
}

const SIGNS = {
  create: '+',
  change: '~',
  remove: '-',
  start: '>',
  restart: '>',
  reload: '>',
  stop: '-',
} as const satisfies Record<PlanLine['action'], string>

/**
 * The plan for people: one line for each backend, for the gateway and for the host.
 * @param details what follows: nothing, what changes inside files, or each thing that is done
 */
export function planText(lines: readonly PlanLine[], details: 'none' | 'diffs' | 'all'): string {
  const shown = lines.filter(({ diff }) => details === 'all' || (details === 'diffs' && diff !== undefined))
  return printable([...summaryLines(lines), '', ...shown.flatMap(detailLines), countLine(lines)].join('\n'))
}

function detailLines({ action, what, name, why, diff }: PlanLine, i: number, all: readonly PlanLine[]): string[] {
  const inner = diff === undefined ? [] : diff.split('\n').slice(2)
  const end = i === all.length - 1 ? [''] : []
  return [`${SIGNS[action]} ${action} ${what} ${name}  (${why})`, ...inner.map((text) => `    ${text}`), ...end]
}

function countLine(lines: readonly PlanLine[]): string {
  const counts = (['create', 'change', 'remove', 'start', 'restart', 'reload', 'stop'] as const)
    .map((action) => ({ action, count: lines.filter((line) => line.action === action).length }))
    .filter(({ count }) => count > 0)
    .map(({ action, count }) => `${count} to ${action}`)
  return `plan: ${counts.join(', ')}`
}

/** Problems of a host for people. */
export function problemText(problems: readonly HostProblem[]): string {
  const blocks = problems.map(({ code, message, hint, lines = [] }) =>
    [
      `${code}: ${message}`,
      ...lines.map((line) => `    | ${line}`),
      ...(hint === undefined ? [] : [`    ${hint}`]),
    ].join('\n'),
  )
  return printable(blocks.join('\n'))
}
