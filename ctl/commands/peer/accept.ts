import { readFile } from 'node:fs/promises'
import { text as readAll } from 'node:stream/consumers'
import { unreadable } from '../../failure.ts'
import type { Invocation, Run } from '../../invocation.ts'
import { readInvitation } from './invitation.ts'

export const run: Run = async (invocation) => {
  const { admin, arguments: given, json, note, print, printJson } = invocation
  const [name = ''] = given
  const { key, ...said } = readInvitation(await invitationText(invocation))
  const peer = await admin.ask('POST /api/admin/peers', { body: { name, ...said, api_key: key } })
  if (peer.addresses.length + peer.relays.length === 0)
    note(
      `warning: nothing says where it is, so no request gets there: gatectl config set peers.${name}.addresses HOST:PORT`,
    )
  if (json) printJson(peer)
  else print(`upstream ${name} is gate://${peer.node}; its models are ${name}/MODEL`)
  return 0
}

async function invitationText({ text, note, stdin }: Invocation): Promise<string> {
  const file = text('file')
  if (file !== undefined) return await readFile(file, 'utf8').catch((error) => unreadable(file, error))
  if (stdin.isTTY) note('reading the invitation from standard input; Ctrl-D ends it')
  return await readAll(stdin)
}
