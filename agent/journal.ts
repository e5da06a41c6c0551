import { z } from 'zod'
import type { AgentRequest, BackendLogEntry } from '../schemas/agent.ts'
import { AgentRefusal } from './agent-error.ts'
import { unitsOf } from './allow-list.ts'
import type { Call } from './call.ts'
import { runProgram } from './program.ts'

/** Longest message that is passed on; an answer must fit a line of the protocol, and JSON may need 6 bytes for one. */
const LONGEST_MESSAGE = 8 * 1024

/**
 * Answers with the journal of the backend's units; with `follow` until the caller leaves.
 * @throws AgentRefusal FAILED
 */
export async function followJournal(
  { lines, follow }: Extract<AgentRequest, { readonly op: 'logs' }>,
  { allow, answer, signal }: Pick<Call, 'allow' | 'answer' | 'signal'>,
): Promise<void> {
  const units = unitsOf(allow).map((unit) => `--user-unit=${unit}`)
  const fields = ['MESSAGE', 'PRIORITY', 'USER_UNIT', '_SYSTEMD_USER_UNIT']
  await readJournal({ fields, lines, follow, matches: units }, signal, async (line) => {
    const entry = readEntry(line)
    if (entry !== undefined) await answer({ type: 'log', ...entry })
  })
}

type Reading = {
  readonly fields: readonly string[]
  readonly lines: number
  readonly follow: boolean
  /** What entries have to be; see journalctl(1). */
  readonly matches: readonly string[]
}

/** Reads the journal of this account. @param take gets each line of JSON, oldest first @throws AgentRefusal FAILED */
export async function readJournal(
  { fields, lines, follow, matches }: Reading,
  signal: AbortSignal,
  take: (line: string) => Promise<void>,
): Promise<void> {
  const options = ['--quiet', '--no-pager', '--all', '--output=json', `--output-fields=${fields.join(',')}`]
  const args = [...options, `--lines=${lines}`, ...(follow ? ['--follow'] : []), ...matches]
  const { code, stderr } = await runProgram('journalctl', args, signal, { from: 'stdout', line: take })
  if (code !== 0)
    throw new AgentRefusal('FAILED', stderr.split('\n')[0] || `journalctl failed with ${code}`, JOURNAL_HINT)
}

const JOURNAL_HINT =
  'an account can read its own entries only when the journal is on disk: mkdir /var/log/journal, journalctl --flush'

const text = z.union([
  z.string(),
  z.array(z.int().min(0).max(255)).transform((bytes) => Buffer.from(bytes).toString()),
  z.null(),
])
const entryShape = z.object({
  __REALTIME_TIMESTAMP: z.string().regex(/^\d{1,16}$/),
  MESSAGE: text.default(''),
  PRIORITY: z
    .string()
    .regex(/^[0-7]$/)
    .default('6'),
  USER_UNIT: z.string().optional(),
  _SYSTEMD_USER_UNIT: z.string().optional(),
})

/**
 * Reads a line of `journalctl --output=json`: numbers are texts, a message that is not text is a list of bytes.
 * @returns undefined for a line that is none
 * @see systemd.journal-fields(7), https://systemd.io/JOURNAL_EXPORT_FORMATS "Journal JSON Format"
 */
export function readEntry(line: string): BackendLogEntry | undefined {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    return undefined // journalctl's own remarks, such as "-- Boot … --"
  }
  const { success, data } = entryShape.safeParse(value)
  if (!success) return undefined
  const message = (data.MESSAGE ?? '').replace(/\n$/, '') // as conmon writes it
  return {
    time: new Date(Number(data.__REALTIME_TIMESTAMP) / 1000).toISOString(),
    // what the manager says about a unit comes from the manager's own unit
    unit: data.USER_UNIT ?? data._SYSTEMD_USER_UNIT ?? '',
    priority: Number(data.PRIORITY),
    message: message.length > LONGEST_MESSAGE ? `${message.slice(0, LONGEST_MESSAGE)}…` : message,
  }
}
