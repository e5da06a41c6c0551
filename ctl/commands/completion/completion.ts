import type { CommandText } from '../../command.ts'
import { bashCompletion } from '../../completion/bash.ts'
import { fishCompletion } from '../../completion/fish.ts'
import { zshCompletion } from '../../completion/zsh.ts'
import { usageFailure } from '../../failure.ts'
import type { Run } from '../../invocation.ts'

const SCRIPTS: Readonly<Record<string, (commands: readonly CommandText[]) => string>> = {
  bash: bashCompletion,
  zsh: zshCompletion,
  fish: fishCompletion,
}

export const run: Run = async ({ arguments: [shell = ''], commands, print }) => {
  const script = Object.hasOwn(SCRIPTS, shell) ? SCRIPTS[shell] : undefined
  if (script === undefined)
    throw usageFailure(`gatectl completion: unknown shell "${shell}"`, 'there are: bash, zsh, fish')
  print(script(commands))
  return 0
}
