import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { backUp } from '../../../host/backup/backup.ts'
import { openBackup } from '../../../host/backup/opened.ts'
import { type Host, localHost } from '../../../host/host.ts'
import { failure, usageFailure } from '../../failure.ts'
import type { Invocation, Run } from '../../invocation.ts'
import { converting, passphraseOf, placeOf, readText } from './place.ts'

export const run: Run = (invocation) =>
  invocation.flag('verify') ? verify(invocation, localHost()) : write(invocation, localHost())

async function write(invocation: Invocation, host: Host): Promise<number> {
  const { text, flag, json, print, printJson, isRoot } = invocation
  const file = resolve(invocation.arguments[0] ?? '')
  const place = placeOf(invocation, host)
  if (!existsSync(place.stateDirectory))
    throw usageFailure(`${place.stateDirectory} is not there`, 'name the state directory with --state-directory')
  if (existsSync(file)) throw failure('FILE_EXISTS', `${file} is already there`, { hint: 'name another file' })
  const recipient = text('recipient')
  const lock =
    recipient === undefined
      ? { passphrase: await passphraseOf(invocation, host, true) }
      : { recipient: readText(host, recipient) }
  const made = await converting(file, () => backUp({ ...place, file, lock, hashes: flag('hash-models'), isRoot }))
  if (json) printJson({ file, ...made })
  else print(`wrote ${file}: ${made.files} files, ${sizeText(made.bytes)}`)
  return 0
}

/** Reads all of it: what is cut off or was changed is found. */
async function verify(invocation: Invocation, host: Host): Promise<number> {
  const { json, print, printJson } = invocation
  const file = resolve(invocation.arguments[0] ?? '')
  const unlock = await unlockOf(invocation, host)
  const { manifest, files } = await converting(file, async () => {
    const { manifest, files } = await openBackup(file, unlock)
    const read: { path: string; bytes: number }[] = []
    for await (const { entry } of files) read.push({ path: entry.path, bytes: entry.bytes })
    return { manifest, files: read }
  })
  if (json) printJson({ file, ...manifest, files })
  else {
    print(`${file} is whole: made ${manifest.made_at} by Gate ${manifest.gate}`)
    for (const { path, bytes } of files) print(`  ${path}  ${sizeText(bytes)}`)
    const bytes = manifest.models.reduce((sum, model) => sum + model.bytes, 0)
    if (manifest.models.length > 0) print(`  not in it: ${manifest.models.length} files of models, ${sizeText(bytes)}`)
  }
  return 0
}

/** What opens a backup: a private key, or a passphrase. */
export async function unlockOf(invocation: Invocation, host: Host) {
  const identity = invocation.text('identity')
  if (identity !== undefined) return { identity: readText(host, identity) }
  return { passphrase: await passphraseOf(invocation, host, false) }
}

function sizeText(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  const power = bytes < 1024 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10))
  return `${(bytes / 1024 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`
}
