import { existsSync, lstatSync } from 'node:fs'
import { resolve } from 'node:path'
import { gatewayNames } from '../../../compiler/ir/names.ts'
import { readAccounts } from '../../../host/accounts.ts'
import type { RootDirectories } from '../../../host/backup/backup.ts'
import { isUnusable } from '../../../host/backup/opened.ts'
import type { Owner } from '../../../host/backup/state-half.ts'
import type { Host } from '../../../host/host.ts'
import { deployDirectory } from '../../../host/plan/desired.ts'
import { codeOf } from '../../../system/error-code.ts'
import { failure, unreadable, usageFailure } from '../../failure.ts'
import type { Invocation } from '../../invocation.ts'
import { xdgStateFolder } from '../../socket-paths.ts'
import { askSecret, firstLine } from '../../terminal/ask-secret.ts'
import { namedPrefix } from '../host/deployment.ts'

/** What is backed up, or restored into. */
export type Place = {
  readonly stateDirectory: string
  readonly directories: RootDirectories | undefined
  /** Of the files that are restored; undefined: who runs this. */
  readonly owner: Owner | undefined
}

/** The state directory that was named, that of this host for root, else that of this user. */
export function placeOf(invocation: Invocation, host: Host): Place {
  const { text, env, isRoot } = invocation
  const named = text('state-directory') ?? env['STATE_DIRECTORY']?.split(':')[0]
  if (named !== undefined && named !== '') {
    const stateDirectory = resolve(named)
    return { stateDirectory, directories: undefined, owner: isRoot ? ownerOf(stateDirectory) : undefined }
  }
  if (isRoot) return hostPlace(invocation, host)
  const stateDirectory = xdgStateFolder(env)
  if (stateDirectory === undefined) throw usageFailure('there is no home directory', 'name --state-directory DIR')
  return { stateDirectory, directories: undefined, owner: undefined }
}

function hostPlace(invocation: Invocation, host: Host): Place {
  const prefix = namedPrefix(invocation)
  const names = gatewayNames(invocation.text('instance'))
  const account = readAccounts(host).users.get(names.user)
  if (account === undefined)
    throw usageFailure(
      `there is no account ${names.user} on this host`,
      'install Gate first, or name --state-directory',
    )
  return {
    stateDirectory: names.stateDirectory,
    directories: { config: names.configDirectory, deploy: deployDirectory(prefix) },
    owner: { uid: account.uid, gid: account.gid },
  }
}

/** Of a directory that is there, of the files in it: those of a deployed host are not root's. */
function ownerOf(directory: string): Place['owner'] {
  const database = `${directory}/gate.db`
  const seen = existsSync(database) ? database : directory
  if (!existsSync(seen)) return undefined
  const { uid, gid } = lstatSync(seen)
  return { uid, gid }
}

/** From a file, a terminal, or standard input; never from the command line, which every user of the host can read. */
export async function passphraseOf(invocation: Invocation, host: Host, isNew: boolean): Promise<string> {
  const { text, stdin, stderr } = invocation
  const file = text('passphrase-file')
  if (file !== undefined) return checked(firstLine(readText(host, file)), isNew)
  if (stdin.isTTY !== true) return checked(firstLine(await readAll(stdin)), isNew)
  const passphrase = checked(await askSecret(stdin, stderr, 'passphrase of the backup: '), isNew)
  if (isNew && passphrase !== (await askSecret(stdin, stderr, 'once more: ')))
    throw usageFailure('the two passphrases differ', 'nothing was written; run it again')
  return passphrase
}

export function readText(host: Host, file: string): string {
  const read = host.read(resolve(file))
  return read ?? unreadable(file, Object.assign(new Error(), { code: 'ENOENT' }))
}

/** What went wrong with a backup, as a failure of the command. */
export async function converting<T>(file: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (isUnusable(error)) throw failure('BACKUP_UNUSABLE', `${file}: ${error.message}`, { cause: error })
    const code = codeOf(error)
    const detail = error instanceof Error ? error.message : String(error)
    if (code === 'ENOENT' && detail.includes(file)) return unreadable(file, error as NodeJS.ErrnoException)
    throw failure('BACKUP_FAILED', detail, { cause: error })
  }
}

const SHORTEST = 12

function checked(passphrase: string, isNew: boolean): string {
  if (passphrase === '') throw usageFailure('there is no passphrase', 'give one, or --recipient or --identity FILE')
  if (isNew && passphrase.length < SHORTEST)
    throw usageFailure(`the passphrase is shorter than ${SHORTEST} characters`, 'use several words')
  return passphrase
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
