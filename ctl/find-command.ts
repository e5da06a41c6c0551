import { nearest } from '../schemas/words/nearest.ts'
import { type CommandText, withAliases } from './command.ts'
import { type Failure, usageFailure } from './failure.ts'

/** The command that the first words name, and how many of them do. */
export function findCommand<C extends CommandText>(
  words: readonly string[],
  commands: readonly C[],
): { readonly command: C; readonly words: number } | undefined {
  for (const count of [2, 1]) {
    const name = words.slice(0, count).join(' ')
    const command = commands.find((c) => c.name === name || c.aliases?.includes(name))
    if (command !== undefined && words.length >= count) return { command, words: count }
  }
  return undefined
}

/** The failure of words that name no command, with what was probably meant. */
export function unknownCommand(words: readonly string[], commands: readonly CommandText[]): Failure {
  const [first, second] = words
  if (first === undefined) return usageFailure('no command given', 'gatectl help lists the commands')
  const names = withAliases(commands.filter(({ hidden }) => hidden !== true)).map(({ name }) => name)
  const inGroup = names.filter((name) => name.startsWith(`${first} `))
  if (inGroup.length > 0 && second === undefined) {
    return usageFailure(`gatectl ${first} needs a subcommand`, `there are: ${inGroup.join(', ')}`)
  }
  const typed = inGroup.length > 0 ? `${first} ${second}` : words.slice(0, 2).join(' ')
  const meant = nearest(typed, names) ?? nearest(first, [...names, ...new Set(names.map((n) => n.split(' ')[0] ?? n))])
  return usageFailure(
    `unknown command "${inGroup.length > 0 ? typed : first}"`,
    meant === undefined ? 'gatectl help lists the commands' : `did you mean "gatectl ${meant}"?`,
  )
}
