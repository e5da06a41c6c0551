import { type ProgramOptions, runToEnd } from '../system/program.ts'
import { AgentRefusal } from './agent-error.ts'

/** What is kept of a program's output; the rest is read and dropped. */
const STDOUT_MAX_BYTES = 2 ** 20
/** What is kept of its errors, for the caller. */
const STDERR_MAX_BYTES = 4096
/** Between SIGTERM and SIGKILL. */
const GRACE_MS = 2000

export type Finished = { readonly code: number; readonly stdout: string; readonly stderr: string }

/**
 * Runs a program of the host to its end.
 * @param signal ends it
 * @param take gets one of its outputs line by line, which is then empty in the answer
 * @returns what it wrote; a code other than 0 is not an error
 * @throws AgentRefusal FAILED when there is no such program; the signal's reason when that ended it
 */
export async function runProgram(
  name: string,
  args: readonly string[],
  signal: AbortSignal,
  take?: ProgramOptions['take'],
): Promise<Finished> {
  const ended = await runToEnd([name, ...args], {
    env: childEnvironment(),
    stdoutMaxBytes: take === undefined ? STDOUT_MAX_BYTES : STDERR_MAX_BYTES,
    stderrMaxBytes: STDERR_MAX_BYTES,
    signal,
    graceMs: GRACE_MS,
    ...(take === undefined ? {} : { take }),
  })
  switch (ended.kind) {
    case 'exited':
      return { code: ended.code, stdout: ended.stdout, stderr: ended.stderr.trim() }
    case 'cut-off':
      throw signal.reason
    case 'not-started': {
      const { cause } = ended
      throw new AgentRefusal('FAILED', `cannot run ${name}: ${cause.message}`, `is ${name} installed?`, { cause })
    }
  }
}

/** Everything a program of the host needs to reach its user's manager, and nothing of Gate's own. */
export function childEnvironment(): Record<string, string> {
  const own = KEPT.flatMap((name) => {
    const value = process.env[name]
    return value === undefined ? [] : [[name, value]]
  })
  return { ...Object.fromEntries(own), LANG: 'C.UTF-8' }
}

const KEPT = [
  'HOME',
  'USER',
  'LOGNAME',
  'PATH',
  'XDG_RUNTIME_DIR',
  'XDG_CONFIG_HOME', // podman takes ~/.config only from its owner, and here that is root
  'DBUS_SESSION_BUS_ADDRESS',
]
