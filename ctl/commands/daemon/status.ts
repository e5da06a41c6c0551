import { existsSync } from 'node:fs'
import type { DaemonStatus } from '../../../schemas/admin.ts'
import { Failure } from '../../failure.ts'
import type { Run } from '../../invocation.ts'
import { problemLines } from '../../output/problem-lines.ts'
import { table } from '../../output/table.ts'
import type { Output } from '../../surroundings.ts'

export const run: Run = async ({ admin, json, print, printJson, stdout }) => {
  const deployment = await readDeployment()
  const status = await admin.ask('GET /api/admin/system').catch((error: unknown) => {
    // what was deployed is known without the daemon
    if (error instanceof Failure && deployment !== undefined && !json) print(deploymentText(deployment))
    throw error
  })
  if (json) printJson({ ...status, ...(deployment && { deployment }) })
  else
    print(
      [
        statusText(status, await admin.to(), stdout),
        ...(deployment === undefined ? [] : ['', deploymentText(deployment)]),
      ].join('\n'),
    )
  return 0
}

type DeploymentStatus = {
  /** Generation that the units of this host are read from. */
  readonly generation: number | undefined
  /** An apply was cut off: it is not known to work. */
  readonly unfinished: boolean
  readonly backends: number
}

/** What `gatectl apply` made of this host; undefined when it was never run here. */
async function readDeployment(): Promise<DeploymentStatus | undefined> {
  if (!existsSync(GENERATIONS)) return undefined
  const [{ readGenerations }, { localHost }] = await Promise.all([
    import('../../../host/generations/generations.ts'),
    import('../../../host/host.ts'),
  ])
  const { manifests, current, committed } = readGenerations(localHost(), 'gate')
  const backends = current === undefined ? 0 : (manifests.get(current)?.images.length ?? 0)
  return { generation: current, unfinished: current !== committed, backends }
}

const GENERATIONS = '/var/lib/gate-deploy/generations'

function deploymentText({ generation, unfinished, backends }: DeploymentStatus): string {
  if (generation === undefined) return 'deployed    nothing; an apply did not finish'
  const state = unfinished ? '; an apply was interrupted, run it again' : ''
  return `deployed    generation ${generation}, ${backends} backend${backends === 1 ? '' : 's'}${state}`
}

function statusText(status: DaemonStatus, to: string, stdout: Output): string {
  const {
    state,
    version,
    pid,
    started_at,
    listen,
    listen_error,
    not_ready,
    requests_in_flight,
    store,
    upstreams,
    problems,
    ignored = [],
    closed,
    break_glass,
  } = status
  const isReady = not_ready === undefined || !['ready', 'reloading'].includes(state) // else the state says it
  const lines = [
    `gate-daemon ${version}, ${isReady ? state : 'not ready'}, process ${pid}, since ${started_at}`,
    `asked       over ${to}`,
    `listening   ${listen.join(', ') || `nowhere: ${listen_error ?? 'not yet'}`}`,
    ...(closed === undefined ? [] : [`closed      no client is served: ${closed}`]),
    ...(isReady || closed !== undefined ? [] : [`refusing    no new request is served: ${not_ready}`]),
    ...(break_glass ? ['break-glass on: its password has every right; remove BREAK_GLASS and restart'] : []),
    `in flight   ${requests_in_flight} requests`,
    `store       ${store.path}, ${store.backlog_rows} rows to write${store.last_error === undefined ? '' : `: ${store.last_error}`}`,
    '',
    table(
      ['UPSTREAM', 'PROVIDER', 'STATE', 'MODELS', 'LAST ERROR'],
      upstreams.map((u) => [u.name, u.provider, u.state, String(u.models_count), u.last_error ?? '']),
      stdout,
    ),
  ]
  const listed = (title: string, found: DaemonStatus['problems']) =>
    found.length === 0 ? [] : ['', title, ...found.flatMap(problemLines).map((line) => `  ${line}`)]
  return [
    ...lines,
    ...listed('problems of the configuration:', problems),
    ...listed('set, and without effect:', ignored),
  ].join('\n')
}
