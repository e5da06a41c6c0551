import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { openConfig } from '../../config/open-config.ts'
import type { PassedSocket } from '../../config/passed-socket.ts'
import { ConfigError } from '../../config/problems.ts'
import type { ConfigProblem } from '../../schemas/config/layers.ts'
import type { LogFields } from '../../schemas/words/log.ts'
import { configSeals } from '../../store/sealed/config-seals.ts'
import { keyringOf } from './keyring.ts'

type Given = {
  readonly env?: Readonly<Record<string, string>>
  readonly runtime?: string
  readonly declared?: unknown
  readonly credentials?: Readonly<Record<string, string>>
}

/** A state directory of its own, removed with the test, and the means to open it more than once. */
export function configPlace(given: Given = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'gate-config-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return { ...placeAt(folder, given), at: (other: string) => placeAt(other, given) }
}

function placeAt(folder: string, given: Given) {
  const file = join(folder, 'config.toml')
  const declaredFile = join(folder, 'declared.json')
  const credentialsDirectory = join(folder, 'credentials')
  const lines: { level: string; message: string; fields: LogFields }[] = []
  const write = (path: string, text: string | Uint8Array) => writeFileSync(join(folder, path), text)
  if (given.runtime !== undefined) writeFileSync(file, given.runtime)
  if (given.declared !== undefined)
    writeFileSync(declaredFile, typeof given.declared === 'string' ? given.declared : JSON.stringify(given.declared))
  return {
    folder,
    file,
    lastGood: `${file}.last-good`,
    declaredFile,
    lines,
    write,
    /** As it is on the disk now. */
    keyring: () => keyringOf(folder),
    remove: (path: string) => rmSync(join(folder, path)),
    read: (path = 'config.toml') =>
      existsSync(join(folder, path)) ? readFileSync(join(folder, path), 'utf8') : undefined,
    /** @param named the runtime file as `--config` names it @param socket what systemd passes */
    open: (env: Readonly<Record<string, string>> = given.env ?? {}, named?: string, socket?: PassedSocket) =>
      openConfig({
        env,
        stateDirectory: folder,
        runtimeFile: named,
        declaredFile,
        socket,
        seals: configSeals(keyringOf(folder)),
        credentialsDirectory:
          given.credentials === undefined ? undefined : credentialsIn(credentialsDirectory, given.credentials),
        log: (level, message, fields = {}) => lines.push({ level, message, fields }),
      }),
  }
}

function credentialsIn(directory: string, credentials: Readonly<Record<string, string>>): string {
  mkdirSync(directory, { recursive: true })
  for (const [name, text] of Object.entries(credentials)) writeFileSync(join(directory, name), text)
  return directory
}

/** The problems of what `open` refuses. */
export function refusal(open: () => unknown): readonly ConfigProblem[] {
  try {
    open()
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
  throw new Error('it was not refused')
}
