import { z } from 'zod'
import type { AgentRequest, BackendEvent } from '../schemas/agent.ts'
import type { Call } from './call.ts'
import { readJournal } from './journal.ts'

/**
 * Answers with what happened to the backend's container, as systemd and podman noted it in the journal; with `follow`
 * until the caller leaves.
 * @throws AgentRefusal FAILED
 */
export async function followEvents(
  { lines, follow }: Extract<AgentRequest, { readonly op: 'events' }>,
  { allow, answer, signal }: Pick<Call, 'allow' | 'answer' | 'signal'>,
): Promise<void> {
  const messages = Object.keys(MESSAGES).map((id) => `MESSAGE_ID=${id}`)
  // podman notes every check: only those that fail are asked for, since they are few
  const unhealthy = ['+', `PODMAN_NAME=${allow.container}`, 'PODMAN_HEALTH_STATUS=unhealthy']
  const matches = [`USER_UNIT=${allow.service}`, ...messages, ...unhealthy]
  await readJournal({ fields: FIELDS, lines, follow, matches }, signal, async (line) => {
    const event = readEvent(line)
    if (event !== undefined) await answer({ type: 'event', ...event })
  })
}

/** @see sd-messages.h of systemd, `journalctl --list-catalog` */
const MESSAGES = {
  '7d4958e842da4a758f6c1cdc7b36dcc5': 'starting',
  '39f53479d3a045ac8e11786248231fbf': 'ready',
  de5b426a63be47a7b6ac3eaac82e2f6f: 'stopping',
  '98e322203f7a4ed290d09fe03c09fe15': 'exited',
  // by itself or because it was told to, and systemd calls it a success: it names no code
  '7ad2d189f7e94e70a38c781354912448': 'exited',
  fe6faa94e7774663a0da52717891d8ef: 'oom',
  d9b373ed55a64feb8242e02dbe79a49c: 'failed',
  '5eb03494b6584870a536b337290809b3': 'restarting',
  '9d1aaa27d60140bd96365438aad20286': 'stopped',
} as const satisfies Record<string, BackendEvent['event']>

const FIELDS = ['MESSAGE', 'MESSAGE_ID', 'EXIT_CODE', 'EXIT_STATUS', 'UNIT_RESULT', 'PODMAN_HEALTH_STATUS']

const entryShape = z.object({
  __REALTIME_TIMESTAMP: z.string().regex(/^\d{1,16}$/),
  MESSAGE: z.string().default(''),
  MESSAGE_ID: z.string().optional(),
  /** `exited`, `killed` or `dumped`. */
  EXIT_CODE: z.string().optional(),
  /** Number of the code or of the signal. */
  EXIT_STATUS: z
    .string()
    .regex(/^\d{1,3}$/)
    .optional(),
  UNIT_RESULT: z.string().max(100).optional(),
  PODMAN_HEALTH_STATUS: z.literal('unhealthy').optional(),
})

/** Reads a line of `journalctl --output=json`. @returns undefined for what is not an event of the container */
export function readEvent(line: string): BackendEvent | undefined {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    return undefined // journalctl's own remarks
  }
  const { success, data } = entryShape.safeParse(value)
  if (!success) return undefined
  const time = new Date(Number(data.__REALTIME_TIMESTAMP) / 1000).toISOString()
  if (data.PODMAN_HEALTH_STATUS !== undefined) return { time, event: 'unhealthy' }
  const event = isMessage(data.MESSAGE_ID) ? MESSAGES[data.MESSAGE_ID] : undefined
  if (event === undefined) return undefined
  if (event === 'failed')
    return { time, event, ...(data.UNIT_RESULT === undefined ? {} : { reason: data.UNIT_RESULT }) }
  if (event !== 'exited' || data.EXIT_CODE === undefined) return { time, event }
  // those of ExecStopPost= and the like are none of the container's
  if (!/: Main process exited/.test(data.MESSAGE) || data.EXIT_STATUS === undefined) return undefined
  const status = Number(data.EXIT_STATUS)
  return { time, event, exit_code: data.EXIT_CODE === 'exited' ? status : 128 + status }
}

function isMessage(id: string | undefined): id is keyof typeof MESSAGES {
  return id !== undefined && Object.hasOwn(MESSAGES, id)
}
