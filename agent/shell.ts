import { type ShellAnswer, type ShellRequest, shellInput } from '../schemas/shell.ts'
import type { LineReader } from '../wire/line-reader.ts'
import { AgentRefusal } from './agent-error.ts'
import { type AllowList, unitsOf } from './allow-list.ts'
import { openTerminal, type Terminal } from './terminal.ts'
import { unitStates } from './units.ts'

/** A shell without input or output for this long is hung up. */
const IDLE_MS = 60 * 60_000
/** Of one answer: with base64 and the rest of the line it stays below the longest line. */
const MOST_OUTPUT_BYTES = 32 * 1024

export type ShellCall = {
  readonly allow: AllowList
  /** What the caller types. */
  readonly lines: LineReader
  /** Resolves once there is room for more. */
  readonly answer: (line: ShellAnswer) => Promise<void>
}

/**
 * A shell in the running container, or the backend's journal in a pager, until it ends or the caller leaves. What
 * runs inside the container hears a hangup then: systemd ends all that this agent's connection has begun.
 * @param onOpen is called once there is one
 * @returns its exit code, which the caller was told
 * @throws AgentRefusal NOT_RUNNING, FAILED, BAD_REQUEST
 */
export async function runShell(
  request: ShellRequest,
  { allow, lines, answer }: ShellCall,
  onOpen: () => void,
): Promise<number> {
  const signal = lines.ended
  if (request.into === 'container') await checkRunning(allow, signal)
  const [program, ...args] = request.into === 'container' ? containerShell(allow, request.term) : journalPager(allow)
  const terminal = await openTerminal(program, args, request)
  onOpen()
  const over = new AbortController()
  const idle = setTimeout(() => terminal.hangUp(), IDLE_MS)
  try {
    const told = answer({ type: 'opened' })
    terminal.onOutput(async (bytes) => {
      idle.refresh()
      for (let at = 0; at < bytes.length; at += MOST_OUTPUT_BYTES)
        await answer({ type: 'output', data: bytes.subarray(at, at + MOST_OUTPUT_BYTES).toString('base64') })
    })
    await told
    const typing = passInput(terminal, { lines, idle, over: over.signal })
    // when the caller leaves, the input ends first, then `left` wins: a program that ignores the hangup is not waited
    // for
    const code = await Promise.race([terminal.exited, typing.then(() => terminal.exited), left(signal)])
    over.abort()
    await typing
    await answer({ type: 'exit', code })
    return code
  } finally {
    over.abort()
    clearTimeout(idle)
    terminal.hangUp()
  }
}

function left(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const leave = () => reject(signal.reason)
    if (signal.aborted) leave()
    else signal.addEventListener('abort', leave, { once: true })
  })
}

async function checkRunning(allow: AllowList, signal: AbortSignal): Promise<void> {
  const [service] = await unitStates(allow, signal)
  if (service !== undefined && RUNNING.includes(service.active)) return
  const message = `${allow.service} is ${service?.active ?? 'unknown'}: there is no container to open a shell in`
  throw new AgentRefusal('NOT_RUNNING', message, 'start it first, or look at its journal')
}

// while it is activating the container runs and is not yet healthy: often just when an operator wants to look
const RUNNING: readonly string[] = ['active', 'activating', 'reloading']

type Program = readonly [string, ...string[]]

function containerShell({ container }: AllowList, term: string): Program {
  const shell = 'if command -v bash >/dev/null 2>&1; then exec bash; fi; exec sh'
  return ['podman', 'exec', '--interactive', '--tty', `--env=TERM=${term}`, container, 'sh', '-c', shell]
}

// the pager is in its secure mode (openTerminal): nothing can be run in this account from it
function journalPager(allow: AllowList): Program {
  return ['journalctl', '--quiet', '--pager-end', ...unitsOf(allow).map((unit) => `--user-unit=${unit}`)]
}

/** Passes on what the caller types, until `over`. A line that is not input ends the shell. */
async function passInput(
  terminal: Terminal,
  { lines, idle, over }: { readonly lines: LineReader; readonly idle: NodeJS.Timeout; readonly over: AbortSignal },
): Promise<void> {
  for (;;) {
    const line = await lines.next(over)
    if (line === undefined) return
    idle.refresh()
    const input = readInput(line)
    if (input === undefined) {
      terminal.hangUp()
      throw new AgentRefusal('BAD_REQUEST', 'while a shell runs, send only input or resize')
    }
    if (input.type === 'resize') terminal.resize(input)
    else await terminal.write(Buffer.from(input.data, 'base64'))
  }
}

function readInput(line: string) {
  try {
    return shellInput.safeParse(JSON.parse(line)).data
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    return undefined
  }
}
