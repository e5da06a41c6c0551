import { connect } from 'node:net'
import type { ConfigProblem } from '../../../schemas/config/layers.ts'
import { sh } from '../../../syntax/shell/print.ts'
import { type HeldSocket, holdSocket } from '../../../system/held-socket.ts'
import { inPool } from '../../../system/pool.ts'
import { localHost } from '../../host.ts'
import { listeningPaths } from '../../running.ts'
import type { Check, DaemonView } from '../check.ts'
import { command, edit, type Finding, fail, ok, ROOT_SEES_MORE, skip, warn } from '../finding.ts'
import { presentUsers } from '../look.ts'

export type DaemonFacts = {
  readonly view: DaemonView
  readonly version: string
  readonly unit: string
  /** Whether it serves TLS, by sockets of systemd; `redirects`: and port 80. */
  readonly serves: 'plain' | 'tls' | 'redirects'
}

export const daemon: Check<DaemonFacts> = {
  name: 'daemon',
  summary:
    'whether the daemon answers on its admin socket, has the version of gatectl, and what it finds wrong with its configuration',
  async observe({ daemon: view, version, names, deployment }) {
    const tls = deployment?.gateway.tlsServing
    const serves = tls === undefined ? 'plain' : tls.httpPort === undefined ? 'tls' : 'redirects'
    return { view: await view, version, unit: names.daemonUnit, serves }
  },
  judge({ view, version, unit, serves }) {
    if (view.kind === 'silent') {
      if (view.reason.includes('permission denied')) return [skip('the daemon', view.hint ?? ROOT_SEES_MORE)]
      return [
        fail(
          'the daemon does not answer',
          view.reason,
          command(sh`systemctl start ${socketsOf(unit, serves)} ${unit}.service`),
        ),
      ]
    }
    const { status } = view
    const findings: Finding[] = []
    if (status.version !== version)
      findings.push(
        warn(
          `the daemon has version ${status.version}, gatectl ${version}`,
          'it was not restarted after an upgrade',
          command(sh`systemctl restart ${unit}.service`),
        ),
      )
    if (!['ready', 'reloading'].includes(status.state))
      findings.push(
        fail(`the daemon is ${status.state}`, 'it takes no requests', command(sh`systemctl restart ${unit}.service`)),
      )
    if (status.listen_error !== undefined)
      findings.push(
        fail('the daemon serves no clients', status.listen_error, command(sh`systemctl restart ${unit}.socket`)),
      )
    if (status.store.last_error !== undefined)
      findings.push(
        fail(
          `the daemon cannot write ${status.store.path}`,
          `${status.store.last_error}; ${status.store.backlog_rows} rows wait${status.not_ready === undefined ? '' : '; new requests are refused'}`,
          edit(status.store.path, 'see the lines about disk, database and permissions'),
        ),
      )
    if (status.break_glass)
      findings.push(
        warn(
          'break-glass is on',
          'a client with its password has every right',
          edit('the environment of gate-daemon', 'remove BREAK_GLASS, and restart it'),
        ),
      )
    findings.push(...status.problems.map(configProblem))
    return findings.length > 0
      ? findings
      : [ok(`version ${status.version}, ${status.state}, ${status.requests_in_flight} requests in flight`)]
  },
}

function socketsOf(unit: string, serves: DaemonFacts['serves']): readonly string[] {
  const more = { plain: [], tls: ['-https'], redirects: ['-https', '-http'] }[serves]
  return ['', '-admin', ...more].map((role) => `${unit}${role}.socket`)
}

function configProblem({ layer, where, key, message, hint }: ConfigProblem): Finding {
  const fix =
    layer === 'runtime' && key !== undefined ? command(sh`gatectl config unset ${key}`) : edit(where, hint ?? message)
  return fail(`configuration, ${where}: ${message}`, hint ?? 'the last good value, or the default, is used', fix)
}

export type AgentFacts = {
  readonly agents: readonly {
    readonly user: string
    readonly path: string
    /** Whether its other socket, over which admins open shells, listens. */
    readonly hasShells: boolean
    /** `listens`: systemd waits for callers; it was not asked. */
    readonly answer: 'done' | 'listens' | 'absent' | 'denied' | 'silent' | { readonly error: string }
  }[]
}

export const agents: Check<AgentFacts> = {
  name: 'agents',
  summary:
    'whether the gate-agent of each backend answers on its socket, through which the daemon starts and stops it, and whether its socket for shells listens',
  isForApplied: true,
  async observe({ deployment }, signal) {
    const present = new Set(presentUsers(deployment).map(({ name }) => name))
    const there = (deployment?.agents ?? []).filter(({ user }) => present.has(user))
    const listening = listeningPaths(localHost())
    const asked = await inPool(there.slice(0, MOST_ASKED), AGENTS_AT_A_TIME, async ({ user, path, shellPath }) => {
      return { user, path, hasShells: listening.has(shellPath), answer: await askAgent(path, signal) }
    })
    const others = there.slice(MOST_ASKED).map(({ user, path, shellPath }) => {
      return {
        user,
        path,
        hasShells: listening.has(shellPath),
        answer: listening.has(path) ? ('listens' as const) : ('absent' as const),
      }
    })
    return { agents: [...asked, ...others] }
  },
  judge({ agents: all }) {
    if (all.length === 0) return [ok('there is none')]
    const findings = all.flatMap(({ user, path, hasShells, answer }): Finding[] => {
      const start = command(sh`systemctl --user --machine=${user}@.host restart gate-agent.socket`)
      if (answer === 'done' || answer === 'listens') return hasShells ? [] : [noShells(user)]
      if (answer === 'denied') return [skip(`the agent of ${user}`, ROOT_SEES_MORE)]
      if (answer === 'absent')
        return [fail(`the agent of ${user} does not listen`, `there is no socket ${path}`, start)]
      const why = answer === 'silent' ? `no program answers on ${path}` : answer.error
      return [fail(`the agent of ${user} does not answer`, why, start)]
    })
    if (findings.length > 0) return findings
    if (all.length === 1) return [ok(`that of ${all[0]?.user} answers`)]
    const silent = all.filter(({ answer }) => answer === 'listens').length
    return [ok(silent === 0 ? `all ${all.length} answer` : `${all.length - silent} answer, ${silent} more listen`)]
  },
}

function noShells(user: string): Finding {
  const start = command(sh`systemctl --user --machine=${user}@.host restart gate-shell.socket`)
  return fail(`the shell socket of ${user} does not listen`, 'gatectl backend shell does not work', start)
}

const AGENT_TIMEOUT_MS = 5_000
/** Each answer is a start of Node: of many agents some are asked, the others must listen. */
const MOST_ASKED = 6
const AGENTS_AT_A_TIME = 3
const MOST_ANSWER_CHARACTERS = 2 ** 20

/** Asks for the state of its units, which changes nothing. @see schemas/agent.ts */
function askAgent(path: string, signal: AbortSignal): Promise<AgentFacts['agents'][number]['answer']> {
  const { promise, resolve } = Promise.withResolvers<AgentFacts['agents'][number]['answer']>()
  let held: HeldSocket
  try {
    held = holdSocket(path)
  } catch (error) {
    return Promise.resolve(answerOf(error))
  }
  const socket = connect({ path: held.at })
  held.release()
  const timer = setTimeout(() => resolve('silent'), AGENT_TIMEOUT_MS)
  signal.addEventListener('abort', () => resolve('silent'), { once: true })
  let text = ''
  socket.setEncoding('utf8')
  socket.on('data', (chunk: string) => {
    text += chunk
    const end = /^\{"type":"(done|error)".*$/m.exec(text)
    if (end !== null) resolve(end[1] === 'done' ? 'done' : { error: end[0] })
    else if (text.length > MOST_ANSWER_CHARACTERS) resolve({ error: 'its answer does not end' })
  })
  socket.once('connect', () => socket.write('{"op":"status"}\n'))
  socket.once('end', () => resolve('silent'))
  socket.once('error', (error) => resolve(answerOf(error)))
  return promise.finally(() => {
    clearTimeout(timer)
    socket.destroy()
  })
}

/** What an error of connecting says of an agent. */
function answerOf(error: unknown): AgentFacts['agents'][number]['answer'] {
  if (!(error instanceof Error) || !('code' in error)) return 'silent'
  switch (error.code) {
    case 'ENOENT':
      return 'absent'
    case 'EACCES':
      return 'denied'
    case 'ELOOP':
      return { error: error.message }
    default:
      return 'silent'
  }
}
