import type { Plan } from '../../host/plan/plan.ts'
import type { HostProblem } from '../../host/problem.ts'
import { printable } from './diagnostic-text.ts'
import { unifiedDiff } from './unified-diff.ts'

/** One thing that a plan does. */
export type PlanLine = {
  readonly action: 'create' | 'change' | 'remove' | 'start' | 'restart' | 'reload' | 'stop'
  readonly what: 'group' | 'user' | 'ids' | 'directory' | 'secret' | 'image' | 'file' | 'link' | 'unit' | 'generation'
  readonly name: string
  readonly why: string
  readonly diff?: string
}

/** A plan as a list, in the order in which it is carried out. */
export function planLines(plan: Plan): PlanLine[] {
  const created = (what: PlanLine['what'], names: readonly string[], why: string): PlanLine[] =>
    names.map((name) => ({ action: 'create', what, name, why }))
  return [
    ...created('group', plan.groups, 'not there'),
    ...plan.accounts.flatMap(accountLines),
    ...created('directory', plan.directories, 'not there'),
    ...created('secret', plan.secrets, 'made once and kept'),
    ...plan.images.map(({ image, user, archive }): PlanLine => {
      const why = archive === undefined ? `${user} does not have it: pull` : `${user} does not have it: ${archive}`
      return { action: 'create', what: 'image', name: image, why }
    }),
    ...plan.files.map(({ kind, place, why, before, after }): PlanLine => {
      const diff = kind === 'change' ? unifiedDiff(before, after, { before: place, after: place }) : undefined
      return { action: kind, what: 'file', name: place, why, ...(diff === undefined ? {} : { diff }) }
    }),
    ...plan.links.map(({ kind, path, target }): PlanLine => ({ action: kind, what: 'link', name: path, why: target })),
    ...plan.enable.map((name): PlanLine => ({ action: 'change', what: 'unit', name, why: 'starts at boot' })),
    ...plan.disable.map(
      (name): PlanLine => ({ action: 'change', what: 'unit', name, why: 'no longer starts at boot' }),
    ),
    ...plan.units.map(({ action, unit, why }): PlanLine => {
      const name = unit.manager === 'system' ? unit.name : `${unit.name} of ${unit.manager}`
      return { action, what: 'unit', name, why }
    }),
    ...plan.retired.map((user): PlanLine => {
      return { action: 'stop', what: 'user', name: user, why: 'no longer in the spec; the account and its data stay' }
    }),
    ...(plan.isUnsettled ? [generationLine(plan)] : []),
  ]
}

function accountLines({ account, isNew, joins, needsSubuids, needsSubgids, needsLinger }: Plan['accounts'][number]) {
  const { name, uid, subuid } = account
  const lines: PlanLine[] = []
  if (isNew) lines.push({ action: 'create', what: 'user', name, why: uid === undefined ? 'not there' : `id ${uid}` })
  else if (joins.length > 0) lines.push({ action: 'change', what: 'user', name, why: `joins ${joins.join(', ')}` })
  if (subuid !== undefined && (needsSubuids || needsSubgids)) {
    const why = `subordinate ids ${subuid.start}-${subuid.start + subuid.count - 1}`
    lines.push({ action: 'create', what: 'ids', name, why })
  }
  if (needsLinger) lines.push({ action: 'start', what: 'user', name, why: 'its manager runs from boot on' })
  return lines
}

function generationLine({ number }: Plan): PlanLine {
  if (number === undefined) return { action: 'create', what: 'generation', name: 'new', why: 'it differs on this host' }
  return {
    action: 'change',
    what: 'generation',
    name: `${number}`,
    why: 'it is not the one running, or was never seen to work',
  }
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

/** The plan for people. @param withDiffs shows what changes inside files */
export function planText(lines: readonly PlanLine[], withDiffs: boolean): string {
  const shown = lines.flatMap(({ action, what, name, why, diff }) => {
    const line = `${SIGNS[action]} ${action} ${what} ${name}  (${why})`
    const inner = diff === undefined || !withDiffs ? [] : diff.split('\n').slice(2)
    return [line, ...inner.map((text) => `    ${text}`)]
  })
  const counts = (['create', 'change', 'remove', 'start', 'restart', 'reload', 'stop'] as const)
    .map((action) => ({ action, count: lines.filter((line) => line.action === action).length }))
    .filter(({ count }) => count > 0)
    .map(({ action, count }) => `${count} to ${action}`)
  return printable([...shown, '', `plan: ${counts.join(', ')}`].join('\n'))
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
