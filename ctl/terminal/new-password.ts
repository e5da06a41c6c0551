import { usageFailure } from '../failure.ts'
import type { Surroundings } from '../surroundings.ts'
import { askSecret, firstLine } from './ask-secret.ts'

const FEWEST_CHARACTERS = 8

/**
 * A new password, from a terminal (twice) or the first line of standard input; never from the command line, which every
 * user of the host can read. @throws Failure USAGE
 */
export async function newPassword({ stdin, stderr }: Pick<Surroundings, 'stdin' | 'stderr'>): Promise<string> {
  if (stdin.isTTY !== true) return checked(firstLine(await allOf(stdin)))
  const password = checked(await askSecret(stdin, stderr, 'password: '))
  if (password !== (await askSecret(stdin, stderr, 'once more: ')))
    throw usageFailure('the two passwords differ', 'nothing was changed; run it again')
  return password
}

function checked(password: string): string {
  if ([...password].length >= FEWEST_CHARACTERS) return password
  throw usageFailure(`the password has fewer than ${FEWEST_CHARACTERS} characters`, 'give a longer one')
}

async function allOf(stdin: Surroundings['stdin']): Promise<string> {
  const pieces: Buffer[] = []
  for await (const piece of stdin) pieces.push(Buffer.from(piece))
  return Buffer.concat(pieces).toString('utf8')
}
