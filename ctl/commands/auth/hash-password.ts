import { argon2, randomBytes } from 'node:crypto'
import { promisify } from 'node:util'
import { passwordHashText } from '../../../syntax/phc/phc.ts'
import type { Run } from '../../invocation.ts'
import { newPassword } from '../../terminal/new-password.ts'

/** What the daemon has the hashes of its own cost: OWASP's least for argon2id. */
const COST = { memoryKib: 19_456, passes: 2, lanes: 1 }
const SALT_BYTES = 16
const TAG_BYTES = 32

export const run: Run = async (invocation) => {
  const { json, print, printJson } = invocation
  const hash = await hashOf(await newPassword(invocation))
  if (json) printJson({ password_hash: hash })
  else print(hash)
  return 0
}

/** In the PHC string format, by argon2id. @see https://www.rfc-editor.org/rfc/rfc9106 */
async function hashOf(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES)
  const tag = await promisify(argon2)('argon2id', {
    message: Buffer.from(password.normalize('NFC')),
    nonce: salt,
    parallelism: COST.lanes,
    memory: COST.memoryKib,
    passes: COST.passes,
    tagLength: TAG_BYTES,
  })
  return passwordHashText({ ...COST, salt, tag })
}
