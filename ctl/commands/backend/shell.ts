import { LONGEST_LINE_BYTES } from '../../../schemas/agent.ts'
import { type ShellAnswer, type ShellInput, type ShellRequestInput, shellAnswer } from '../../../schemas/shell.ts'
import { AGENT_CODES, type AgentCode } from '../../../schemas/words/error-codes.ts'
import { LineReader, LineTooLongError } from '../../../wire/line-reader.ts'
import { pacedWrite } from '../../../wire/paced-write.ts'
import { Failure, failure, usageFailure } from '../../failure.ts'
import type { Run } from '../../invocation.ts'
import { dialShell } from '../../shell-socket.ts'
import { shellsDirectory } from '../../socket-paths.ts'
import type { Input, Output } from '../../surroundings.ts'
import { createHangupKeys } from '../../terminal/hangup-keys.ts'
import { makeRaw } from '../../terminal/raw-terminal.ts'

const STALLED_MS = 60_000
/** For a shell to open: a start of the agent, and a look at the container. */
const OPEN_MS = 30_000

/** Exits with the code of the shell. */
export const run: Run = async ({ arguments: [name = ''], flag, text, note, env, stdin, stdout }) => {
  if (!stdin.isTTY || !stdout.isTTY)
    throw usageFailure('a shell needs a terminal', `gatectl backend logs ${name} works without one`)
  const into = flag('journal') ? 'journal' : 'container'
  const { TERM: term = 'dumb' } = env
  const socket = await dialShell(shellsDirectory(text('socket'), env), name)
  try {
    const lines = new LineReader(socket, LONGEST_LINE_BYTES)
    const say = (line: ShellRequestInput | ShellInput) => pacedWrite(socket, `${JSON.stringify(line)}\n`, STALLED_MS)
    await say({ op: 'shell', backend: name, into, ...sizeOf(stdout), term })
    // nothing is typed to a program that does not answer as a shell does
    const first = await nextAnswer(lines, AbortSignal.timeout(OPEN_MS))
    if (first?.type !== 'opened') throw first === undefined ? lost() : notAShell()
    if (into === 'container') note('Enter ~ . hangs up')
    const restore = makeRaw(stdin)
    try {
      return await converse(lines, say, { stdin, stdout })
    } finally {
      restore()
    }
  } finally {
    socket.destroy()
  }
}

const sizeOf = ({ rows, columns }: Output) => ({ rows: rows || 24, columns: columns || 80 })

type Terminal = { readonly stdin: Input; readonly stdout: Output }

/** @returns the shell's exit code, 0 when the user hung up @throws Failure */
async function converse(
  lines: LineReader,
  say: (input: ShellInput) => Promise<void>,
  { stdin, stdout }: Terminal,
): Promise<number> {
  const hungUp = new AbortController()
  const heldBack = createHangupKeys()
  const onType = (typed: Buffer) => {
    const keys = heldBack(typed)
    if (keys === null) {
      hungUp.abort()
      return
    }
    stdin.pause()
    void say({ type: 'input', data: keys.toString('base64') }).then(() => {
      if (stdin.listeners('data').includes(onType)) stdin.resume()
    })
  }
  const onResize = () => void say({ type: 'resize', ...sizeOf(stdout) })
  stdin.on('data', onType)
  stdout.on('resize', onResize)
  try {
    for (;;) {
      const answer = await nextAnswer(lines, hungUp.signal)
      if (answer === undefined && hungUp.signal.aborted) return 0
      if (answer === undefined) throw lost()
      if (answer.type === 'exit') return answer.code
      if (answer.type === 'opened') throw notAShell()
      await print(stdout, Buffer.from(answer.data, 'base64'))
    }
  } finally {
    stdin.off('data', onType)
    stdout.off('resize', onResize)
  }
}

type Opened = Exclude<ShellAnswer, { readonly type: 'error' }>

/**
 * The account of the backend decides what answers on its socket, so nothing is taken on trust.
 * @returns undefined at the end of the connection, and when given up
 * @throws Failure
 */
async function nextAnswer(lines: LineReader, giveUp: AbortSignal): Promise<Opened | undefined> {
  const line = await lines.next(giveUp).catch((error) => {
    throw error instanceof LineTooLongError ? notAShell() : error
  })
  if (line === undefined) return undefined
  const answer = parse(line)
  if (answer?.type === 'error') throw ended(answer.code, answer.message, answer.hint)
  if (answer === undefined) throw notAShell()
  return answer
}

function parse(line: string): ShellAnswer | undefined {
  try {
    return shellAnswer.safeParse(JSON.parse(line)).data
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    return undefined
  }
}

// as they are: a terminal is what these bytes are meant for
function print(stdout: Output, bytes: Buffer): Promise<void> {
  return new Promise((resolve) => stdout.write(bytes, () => resolve()))
}

function lost(): Failure {
  const hint = 'gatectl backend status shows whether it runs; journalctl -t gate-shell says who was refused'
  return failure('CONNECTION_LOST', 'lost the connection to the shell', { hint })
}

function notAShell(): Failure {
  const hint = 'what runs in the account of the backend is not what Gate put there: gatectl plan'
  return failure('BAD_ANSWER', 'the shell socket of the backend does not answer as gate-agent does', { hint })
}

function ended(code: AgentCode, detail: string, hint: string | undefined): Failure {
  const { status, meaning } = AGENT_CODES[code]
  const problem = { type: 'about:blank' as const, title: meaning, status, code, detail }
  return new Failure(hint === undefined ? problem : { ...problem, hint })
}
