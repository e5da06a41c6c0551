import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { makeKeyPair } from '../../../host/backup/key-pair.ts'
import { failure } from '../../failure.ts'
import type { Run } from '../../invocation.ts'
import { converting } from './place.ts'

export const run: Run = async ({ arguments: [name = ''], json, print, printJson }) => {
  const identity = resolve(name)
  const recipient = `${identity}.pub`
  const there = [identity, recipient].find((path) => existsSync(path))
  if (there !== undefined) throw failure('FILE_EXISTS', `${there} is already there`, { hint: 'name another file' })
  await converting(identity, async () => makeKeyPair({ identity, recipient }))
  if (json) printJson({ identity, recipient })
  else print(`wrote ${identity}, which opens backups, and ${recipient}, which locks them`)
  return 0
}
