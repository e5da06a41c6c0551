import type { Socket } from 'node:net'
import { LONGEST_LINE_BYTES } from '../schemas/agent.ts'
import { type ShellAnswer, type ShellRequest, shellRequest } from '../schemas/shell.ts'
import { LineReader } from '../wire/line-reader.ts'
import { type ShellAccounts, shellUser } from './admins.ts'
import { type AllowList, checkBackend } from './allow-list.ts'
import { answerTo, FIRST_REQUEST_MS, finish, parseLine, problemOf, unforeseen } from './connection.ts'
import { peerUid } from './peer.ts'
import { runShell } from './shell.ts'

export type ShellConnectionOptions = {
  /** The connection, both ways. */
  readonly socket: Socket
  readonly allow: AllowList
  /** systemd's name of this instance, which holds who connected. */
  readonly instance: string
  readonly accounts: ShellAccounts
  /** Gets a line for the journal: who opened a shell and how long it lasted, never what was said in it. */
  readonly log: (line: string) => void
}

/** Serves one shell. @see schemas/shell.ts */
export async function serveShell(options: ShellConnectionOptions): Promise<void> {
  const { socket, allow, instance, accounts, log } = options
  const answer = answerTo<ShellAnswer>(socket)
  const lines = new LineReader(socket, LONGEST_LINE_BYTES)
  try {
    const uid = peerUid(instance)
    const user = await shellUser(uid, accounts).catch((error) => {
      log(`refused a shell to user ${uid ?? 'unknown'}: ${error instanceof Error ? error.message : String(error)}`)
      throw error
    })
    const line = await lines.next(AbortSignal.timeout(FIRST_REQUEST_MS))
    if (line === undefined) return
    const request = parseLine(shellRequest, line, 'there is: shell')
    checkBackend(allow, accounts.gateway, request.backend)
    await logged(request, `${user} (user ${uid})`, log, (onOpen) => runShell(request, { allow, lines, answer }, onOpen))
  } catch (error) {
    if (lines.ended.aborted) return
    for (const line of unforeseen(error)) log(line)
    await answer(problemOf(error))
  } finally {
    await finish(socket)
  }
}

async function logged(
  { into }: ShellRequest,
  who: string,
  log: (line: string) => void,
  shell: (onOpen: () => void) => Promise<number>,
): Promise<void> {
  const what = into === 'container' ? 'shell' : 'journal'
  let openedAt: number | undefined
  let how = 'hung up'
  try {
    const code = await shell(() => {
      openedAt = performance.now()
      log(`${what} opened by ${who}`)
    })
    how = `exit code ${code}`
  } finally {
    if (openedAt !== undefined)
      log(`${what} of ${who} ended after ${Math.round((performance.now() - openedAt) / 1000)} s, ${how}`)
  }
}
