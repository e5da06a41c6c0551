import { z } from 'zod'
import { agentProblem } from './agent.ts'

const size = { rows: z.int().min(1).max(1000), columns: z.int().min(1).max(1000) }

/**
 * What is said on the shell socket of a backend, which only members of the admin group and root may open: lines of
 * JSON as on the socket of its agent (schemas/agent.ts), at most `LONGEST_LINE_BYTES` long. A connection is one shell.
 *
 *   caller  {"op":"shell",…}
 *   agent   {"type":"opened"}         before it, nothing that is typed is sent
 *   caller  {"type":"input",…} and {"type":"resize",…}, as often as it likes
 *   agent   {"type":"output",…}       as often as it likes
 *   agent   {"type":"exit",…}         or {"type":"error",…}: exactly one of them is the last line
 *
 * A caller that closes the connection, or only its sending half, hangs up.
 */
export const shellRequest = z.discriminatedUnion('op', [
  z.strictObject({
    op: z.literal('shell'),
    /** The agent of another one refuses: an account can put a link to another's socket in place of its own. */
    backend: z.string().max(100),
    /** A shell in its running container, or its journal in a pager. */
    into: z.enum(['container', 'journal']),
    ...size,
    /** Terminal type of the caller, terminfo(5). */
    term: z
      .string()
      .regex(/^[A-Za-z0-9._+-]{1,64}$/)
      .default('xterm-256color'),
  }),
])
export type ShellRequest = z.output<typeof shellRequest>
export type ShellRequestInput = z.input<typeof shellRequest>

/** Bytes of a terminal, in base64: whatever a program writes, in either direction, survives. */
const bytes = z.base64()

/** What a caller says while a shell runs. */
export const shellInput = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('input'), data: bytes }),
  z.strictObject({ type: z.literal('resize'), ...size }),
])
export type ShellInput = z.output<typeof shellInput>

export const shellAnswer = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('opened') }),
  z.strictObject({ type: z.literal('output'), data: bytes }),
  /** `code` is 128 + signal when a signal ended it. */
  z.strictObject({ type: z.literal('exit'), code: z.int().min(0).max(255) }),
  agentProblem,
])
export type ShellAnswer = z.output<typeof shellAnswer>
