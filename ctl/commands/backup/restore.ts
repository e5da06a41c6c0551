import { resolve } from 'node:path'
import { restore } from '../../../host/backup/restore.ts'
import { localHost } from '../../../host/host.ts'
import { usageFailure } from '../../failure.ts'
import type { Run } from '../../invocation.ts'
import { isAgreed } from '../host/apply.ts'
import { unlockOf } from './backup.ts'
import { converting, placeOf } from './place.ts'

export const run: Run = async (invocation) => {
  const { flag, json, note, print, printJson } = invocation
  const host = localHost()
  const file = resolve(invocation.arguments[0] ?? '')
  const { stateDirectory, directories, owner } = placeOf(invocation, host)
  const checkOnly = flag('check')
  const unlock = await unlockOf(invocation, host)
  if (!checkOnly && !flag('yes')) {
    if (invocation.stdin.isTTY !== true)
      throw usageFailure('gatectl restore: there is no terminal to ask for confirmation', 'give --yes')
    note(`replaces what is in ${stateDirectory}; what is there now is moved aside`)
    if (!(await isAgreed(invocation))) return 1
  }
  const restored = await converting(file, () =>
    restore({
      file,
      unlock,
      stateDirectory,
      directories: flag('state-only') ? undefined : directories,
      owner,
      checkOnly,
      now: Date.now,
    }),
  )
  const { manifest, files, aside, rootAside } = restored
  if (json)
    printJson({
      file,
      state_directory: stateDirectory,
      made_at: manifest.made_at,
      gate: manifest.gate,
      files,
      aside,
      root_aside: rootAside,
    })
  else {
    const what = `${files} files of ${manifest.made_at}, made by Gate ${manifest.gate}`
    print(checkOnly ? `${file} can be restored: ${what}` : `restored ${stateDirectory}: ${what}`)
    for (const before of [aside, rootAside]) if (before !== null) print(`what was there before is in ${before}`)
    if (manifest.models.length > 0)
      print(`not in it: ${manifest.models.length} files of models; see gatectl backup --verify`)
  }
  return 0
}
