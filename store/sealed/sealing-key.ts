import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { codeOf } from '../../system/error-code.ts'
import { replaceFiles } from '../../system/replace-files.ts'
import { KEY_BYTES } from './sealed.ts'

const NAME = 'sealing.key'
const HEX = new RegExp(`^[0-9a-f]{${2 * KEY_BYTES}}$`)

/**
 * The key that seals what is kept: the systemd credential `sealing.key`, else the file of that name in the state
 * directory, which is made (mode 0600) the first time. Both hold 64 hexadecimal digits.
 * @throws Error that names the file, when it cannot be read or holds something else
 */
export function sealingKey(stateDirectory: string, credentialsDirectory: string | undefined): Buffer {
  const credential = credentialsDirectory === undefined ? null : read(join(credentialsDirectory, NAME))
  if (credential !== null) return credential
  const file = join(stateDirectory, NAME)
  const known = read(file)
  if (known !== null) return known
  const key = randomBytes(KEY_BYTES)
  // never half of one, which a full disk or a kill would leave
  const text = `${key.toString('hex')}\n`
  replaceFiles([{ file, text, mode: 0o600 }], { links: 'replace', stagedSuffix: '-new' })
  return key
}

/** Null when there is no such file. */
function read(file: string): Buffer | null {
  let text: string
  try {
    text = readFileSync(file, 'latin1').trim()
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null
    throw error
  }
  if (!HEX.test(text)) throw new Error(`${file} must hold ${2 * KEY_BYTES} hexadecimal digits, and nothing else`)
  return Buffer.from(text, 'hex')
}
