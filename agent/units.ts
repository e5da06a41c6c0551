import type { AgentRequest, UnitState } from '../schemas/agent.ts'
import { AgentRefusal } from './agent-error.ts'
import { type AllowList, checkUnit, unitsOf } from './allow-list.ts'
import { runProgram } from './program.ts'

/** systemd answers a question at once, or something is wrong with it. */
const QUESTION_MS = 10_000
/** For a job whose caller names no time. */
const DEFAULT_JOB_SECONDS = 900

const PROPERTIES = [
  'Id',
  'LoadState',
  'ActiveState',
  'SubState',
  'Result',
  'ExecMainCode',
  'ExecMainStatus',
  'NRestarts',
  'ActiveEnterTimestamp',
  'MemoryCurrent',
]

/** @throws AgentRefusal FAILED */
export async function unitStates(allow: AllowList, signal: AbortSignal): Promise<UnitState[]> {
  const args = ['--timestamp=unix', `--property=${PROPERTIES.join(',')}`, '--', ...unitsOf(allow)]
  const answer = await systemctl('show', args, AbortSignal.any([signal, AbortSignal.timeout(QUESTION_MS)]))
  return readStates(answer)
}

type Job = Extract<AgentRequest, { readonly op: 'start' | 'stop' | 'restart' }>

/**
 * Starts or stops one unit, or the backend as a whole, and waits for it.
 * @throws AgentRefusal NOT_ALLOWED, TIMEOUT, FAILED
 */
export async function runJob(allow: AllowList, { op, unit, timeout_seconds }: Job, signal: AbortSignal): Promise<void> {
  if (unit !== undefined) checkUnit(allow, unit)
  const seconds = timeout_seconds ?? DEFAULT_JOB_SECONDS
  const deadline = AbortSignal.timeout(seconds * 1000)
  const within = AbortSignal.any([signal, deadline])
  try {
    if (op !== 'start') await systemctl('stop', unit === undefined ? stopped(allow) : [unit], within)
    if (op === 'stop') return
    const units = unit === undefined ? started(allow) : [unit]
    // a unit that systemd has given up on would otherwise refuse
    await systemctl('reset-failed', unit === undefined ? unitsOf(allow) : [unit], within)
    await systemctl('start', units, within)
  } catch (error) {
    if (!deadline.aborted || error instanceof AgentRefusal) throw error
    const message = `${op} of ${unit ?? allow.service} is taking longer than ${seconds} s and continues`
    throw new AgentRefusal('TIMEOUT', message, 'ask for its status, or for its logs', { cause: error })
  }
}

// The container of a backend that starts on demand stops on its own unless its proxy, which needs it, runs.
function started({ service, onDemand }: AllowList): readonly string[] {
  return onDemand === undefined ? [service] : [onDemand.socket, onDemand.proxy]
}

// The socket stays: it is what the next request wakes the backend with.
function stopped({ service, onDemand }: AllowList): readonly string[] {
  return onDemand === undefined ? [service] : [onDemand.proxy, service]
}

async function systemctl(verb: string, args: readonly string[], signal: AbortSignal): Promise<string> {
  const { code, stdout, stderr } = await runProgram('systemctl', ['--user', '--no-pager', verb, ...args], signal)
  if (code === 0 || verb === 'reset-failed') return stdout // resetting a unit that is not loaded is not a failure
  throw new AgentRefusal('FAILED', firstLine(stderr) || `systemctl ${verb} failed with ${code}`)
}

// systemctl goes on with commands to try, which do not work for the reader of this
function firstLine(text: string): string {
  return text.split('\n', 1)[0]?.trim() ?? ''
}

/** Reads what `systemctl show` prints: blocks of NAME=VALUE, a blank line between units. */
export function readStates(text: string): UnitState[] {
  return text
    .split(/\n{2,}/)
    .map((block) => new Map(block.split('\n').map((line) => splitAt(line, line.indexOf('=')))))
    .filter((properties) => properties.has('Id'))
    .map(readState)
}

function readState(properties: ReadonlyMap<string, string>): UnitState {
  const word = (name: string) => properties.get(name) ?? ''
  const count = (name: string) => (/^\d{1,15}$/.test(word(name)) ? Number(word(name)) : undefined)
  const since = /^@(\d{1,12})$/.exec(word('ActiveEnterTimestamp'))?.[1]
  const memory = count('MemoryCurrent')
  const exitCode = exitCodeOf(count('ExecMainCode'), count('ExecMainStatus'))
  return {
    unit: word('Id'),
    load: word('LoadState'),
    active: word('ActiveState'),
    sub: word('SubState'),
    result: word('Result'),
    exit_status: count('ExecMainStatus') ?? 0,
    ...(exitCode === undefined ? {} : { exit_code: exitCode }),
    restarts: count('NRestarts') ?? 0,
    ...(since === undefined ? {} : { active_since: new Date(Number(since) * 1000).toISOString() }),
    ...(memory === undefined ? {} : { memory_bytes: memory }),
  }
}

/**
 * The process that systemd watches is conmon, which ends with the code of its container.
 * @param code si_code of waitid(2); 0 while it runs
 */
function exitCodeOf(code: number | undefined, status = 0): number | undefined {
  if (code === undefined || code === 0) return undefined
  return code === CLD_EXITED ? status : 128 + status
}

/** sigaction(2) */
const CLD_EXITED = 1

function splitAt(line: string, at: number): [string, string] {
  return [line.slice(0, at), line.slice(at + 1)]
}
