import { readFile } from 'node:fs/promises'
import { text as readAll } from 'node:stream/consumers'
import type { ConfigSetRequest } from '../../../schemas/admin.ts'
import { unreadable, usageFailure } from '../../failure.ts'
import type { Invocation, Run } from '../../invocation.ts'
import { socketPaths } from '../../socket-paths.ts'
import { printChange } from './change.ts'
import { egressNote } from './egress-note.ts'

export const run: Run = async (invocation) => {
  const [key = ''] = invocation.arguments
  const body: ConfigSetRequest = { text: await valueText(invocation), force: invocation.flag('force') }
  printChange(invocation, await invocation.admin.ask('PUT /api/admin/config/keys/{key}', { parameter: key, body }))
  const why = egressNote(key, body.text, socketPaths(invocation.text('socket'), invocation.env))
  if (why !== undefined) invocation.note(why)
  return 0
}

async function valueText({ arguments: [, value], text, note, stdin }: Invocation): Promise<string> {
  const file = text('file')
  if ((value === undefined) === (file === undefined)) {
    throw usageFailure(
      'gatectl config set: give a VALUE, or --file FILE',
      'use "-" as VALUE to read it from standard input',
    )
  }
  if (file !== undefined) return withoutNewline(await readFile(file, 'utf8').catch((error) => unreadable(file, error)))
  if (value !== '-') return value ?? ''
  if (stdin.isTTY) note('reading the value from standard input; Ctrl-D ends it')
  return withoutNewline(await readAll(stdin))
}

/** `echo secret | gatectl config set KEY -` means the secret, not its newline. */
function withoutNewline(text: string): string {
  return text.replace(/\r?\n$/, '')
}
