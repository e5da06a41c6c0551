import { helpText } from '../../help.ts'
import type { Run } from '../../invocation.ts'

export const run: Run = async ({ arguments: words, commands, print }) => {
  print(helpText(words, commands))
  return 0
}
