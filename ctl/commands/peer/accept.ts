import { readFile } from 'node:fs/promises'
import { text as readAll } from 'node:stream/consumers'
import { unreadable } from '../../failure.ts'
import type { Invocation, Run } from '../../invocation.ts'
import { readInvitation } from './invitation.ts'

export const run: Run = async (invocation) => {
  const { admin, arguments: given, json, print, printJson } = invocation
  const [name = ''] = given
  const { node, key, addresses, relays } = readInvitation(await invitationText(invocation))
  await admin.ask('PUT /api/admin/config/keys/{key}', {
    parameter: `peers.${name}`,
    body: { value: { node, addresses, relays }, force: false },
  })
  const upstream = await admin.ask('POST /api/admin/upstreams', {
    body: { name, provider: 'peer', base_url: `gate://${node}`, api_key: key },
  })
  if (json) printJson(upstream)
  else print(`upstream ${name} is gate://${node}; its models are ${name}/MODEL`)
  return 0
}

async function invitationText({ text, note, stdin }: Invocation): Promise<string> {
  const file = text('file')
  if (file !== undefined) return await readFile(file, 'utf8').catch((error) => unreadable(file, error))
  if (stdin.isTTY) note('reading the invitation from standard input; Ctrl-D ends it')
  return await readAll(stdin)
}
