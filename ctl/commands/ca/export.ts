import { resolve } from 'node:path'
import { type ExportFormat, exported } from '../../../host/ca/by-hand.ts'
import { type Host, localHost } from '../../../host/host.ts'
import { unreadable, usageFailure } from '../../failure.ts'
import type { Invocation, Run } from '../../invocation.ts'
import { askSecret, firstLine } from '../../terminal/ask-secret.ts'
import { converted } from '../host/deployment.ts'
import { authorityAt, caPlace } from './place.ts'

const FORMATS: readonly ExportFormat[] = ['pem', 'der', 'p12']

export const run: Run = (invocation) => exportCertificates(invocation, localHost())

async function exportCertificates(invocation: Invocation, host: Host): Promise<number> {
  const { text, flag, note, stdout } = invocation
  const place = caPlace(invocation, host, 'ca export')
  const format = FORMATS.find((known) => known === (text('as') ?? 'pem'))
  if (format === undefined) throw usageFailure(`--as: there is no "${text('as')}"`, `write ${FORMATS.join(', ')}`)
  const out = text('out')
  if (format !== 'pem' && out === undefined && stdout.isTTY === true)
    throw usageFailure(`${format} is not text for a terminal`, 'name a file: --out FILE')
  const authority = await converted(async () => authorityAt(host, place))
  const lock = flag('modern') ? 'modern' : 'compatible'
  const protection = format === 'p12' ? ({ password: await passwordOf(invocation, host), lock } as const) : undefined
  const asked = { named: invocation.arguments[0], format }
  const file = await converted(async () => exported(host, authority, asked, protection, Date.now()))
  if (out === undefined) stdout.write(file)
  else {
    await converted(async () => host.write(resolve(out), file, 0o600))
    note(`wrote ${resolve(out)}`)
  }
  return 0
}

/** From a file, a terminal, or standard input; never from the command line, which every user of the host can read. */
async function passwordOf({ text, stdin, stderr }: Invocation, host: Host): Promise<string> {
  const file = text('password-file')
  if (file !== undefined) {
    const read = await converted(async () => host.read(resolve(file)))
    if (read === undefined) return unreadable(file, Object.assign(new Error(), { code: 'ENOENT' }))
    return firstLine(read)
  }
  if (stdin.isTTY !== true) return firstLine(await readAll(stdin))
  const password = await askSecret(stdin, stderr, 'password of the file: ')
  if (password !== (await askSecret(stdin, stderr, 'once more: ')))
    throw usageFailure('the two passwords differ', 'nothing was written; run it again')
  return password
}

const STDIN_MAX = 65_536

async function readAll(stdin: Invocation['stdin']): Promise<string> {
  let text = ''
  for await (const piece of stdin) {
    text += String(piece)
    if (text.length > STDIN_MAX) break
  }
  return text
}
