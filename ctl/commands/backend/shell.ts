import type { Socket } from 'node:net'
import type { AgentAnswer, ShellInput } from '../../../schemas/agent.ts'
import { AGENT_CODES, type AgentCode } from '../../../schemas/words/error-codes.ts'
import { LineReader } from '../../../wire/line-reader.ts'
import { pacedWrite } from '../../../wire/paced-write.ts'
import { Failure, failure, usageFailure } from '../../failure.ts'
import type { Run } from '../../invocation.ts'
import type { Input, Output } from '../../surroundings.ts'
import { createHangupKeys } from '../../terminal/hangup-keys.ts'
import { makeRaw } from '../../terminal/raw-terminal.ts'

/** A line of the daemon's, above the longest that it sends. */
const LONGEST_LINE_BYTES = 256 * 1024
const STALLED_MS = 60_000

/** Exits with the code of the shell. */
export const run: Run = async ({ admin, arguments: [name = ''], flag, note, env, stdin, stdout }) => {
  if (!stdin.isTTY || !stdout.isTTY)
    throw usageFailure('a shell needs a terminal', `gatectl backend logs ${name} works without one`)
  const into = flag('journal') ? 'journal' : 'container'
  const { TERM: term = 'dumb' } = env
  const query = { into, rows: String(stdout.rows || 24), columns: String(stdout.columns || 80), term }
  const socket = await admin.upgrade(`/v1/backends/shell/${encodeURIComponent(name)}`, query, 'gate-shell')
  if (into === 'container') note('Enter ~ . hangs up')
  const restore = makeRaw(stdin)
  try {
    return await converse(socket, { stdin, stdout })
  } finally {
    restore()
    socket.destroy()
  }
}

type Terminal = { readonly stdin: Input; readonly stdout: Output }

/** @returns the shell's exit code @throws Failure */
async function converse(socket: Socket, { stdin, stdout }: Terminal): Promise<number> {
  const say = (input: ShellInput) => pacedWrite(socket, `${JSON.stringify(input)}\n`, STALLED_MS)
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
  const onResize = () => void say({ type: 'resize', rows: stdout.rows || 24, columns: stdout.columns || 80 })
  stdin.on('data', onType)
  stdout.on('resize', onResize)
  try {
    const lines = new LineReader(socket, LONGEST_LINE_BYTES)
    for (;;) {
      const line = await lines.next(hungUp.signal)
      if (line === undefined) {
        if (hungUp.signal.aborted) return 0
        const hint = 'gatectl status shows whether it is still running'
        throw failure('CONNECTION_LOST', 'lost the connection to the daemon', { hint })
      }
      const answer = JSON.parse(line) as AgentAnswer // the daemon makes these lines; its test checks their shape
      if (answer.type === 'exit') return answer.code
      if (answer.type === 'error') throw ended(answer.code, answer.message, answer.hint)
      if (answer.type === 'output') await print(stdout, Buffer.from(answer.data, 'base64'))
    }
  } finally {
    stdin.off('data', onType)
    stdout.off('resize', onResize)
  }
}

// as they are: a terminal is what these bytes are meant for
function print(stdout: Output, bytes: Buffer): Promise<void> {
  return new Promise((resolve) => stdout.write(bytes, () => resolve()))
}

function ended(code: AgentCode, detail: string, hint: string | undefined): Failure {
  const { status, meaning } = AGENT_CODES[code]
  const problem = { type: 'about:blank' as const, title: meaning, status, code, detail }
  return new Failure(hint === undefined ? problem : { ...problem, hint })
}
