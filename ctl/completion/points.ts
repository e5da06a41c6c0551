import { type CommandText, type Completion, GLOBAL_OPTIONS, type Option, withAliases } from '../command.ts'

/** A word and what it means. */
export type Word = { readonly word: string; readonly meaning: string }

/** What can come after the words `given` of a command line, such as `config set`; options do not count as given. */
export type Point = {
  readonly given: string
  readonly words: readonly Word[]
  /** What each argument of a command can be. */
  readonly arguments: readonly (Completion | undefined)[]
  readonly options: readonly OptionWord[]
}
export type OptionWord = Option & { readonly long: string }

/** Every point at which a completion script has something to say, the start first. */
export function completionPoints(commands: readonly CommandText[]): readonly Point[] {
  const shown = visible(commands)
  const globals = optionWords(GLOBAL_OPTIONS)
  const groups = [...new Set(shown.map((c) => c.name.split(' ')[0] ?? ''))].map((first) => wordOf(shown, first))
  const start: Point = { given: '', words: groups, arguments: [], options: globals }
  const inGroups = groups
    .filter(({ word }) => !shown.some((c) => c.name === word))
    .map(({ word }) => ({ given: word, words: secondWords(shown, word), arguments: [], options: globals }))
  const points = shown.map((command) => ({
    given: command.name,
    words: [],
    arguments: command.arguments.map(({ complete }) => complete),
    options: [...optionWords(command.options), ...globals],
  }))
  return [start, ...inGroups, ...points]
}

/** Every option that takes a value, of whatever command, once. */
export function valueOptions(commands: readonly CommandText[]): readonly OptionWord[] {
  const all = [GLOBAL_OPTIONS, ...visible(commands).map((c) => c.options)].flatMap(optionWords)
  const byName = new Map(all.filter((o) => o.type === 'string').map((option) => [option.long, option]))
  return [...byName.values()]
}

/** How an option can be written: `--lines`, `-n`. */
export function spellings({ long, short }: OptionWord): readonly string[] {
  return short === undefined ? [`--${long}`] : [`--${long}`, `-${short}`]
}

function optionWords(options: Readonly<Record<string, Option>>): readonly OptionWord[] {
  return Object.entries(options).map(([long, option]) => ({ ...option, long }))
}

function visible(commands: readonly CommandText[]): readonly CommandText[] {
  return withAliases(commands.filter(({ hidden }) => hidden !== true))
}

function secondWords(commands: readonly CommandText[], first: string): readonly Word[] {
  const inGroup = commands.filter((c) => c.name.startsWith(`${first} `))
  return inGroup.map((c) => ({ word: c.name.slice(first.length + 1), meaning: c.summary }))
}

function wordOf(commands: readonly CommandText[], first: string): Word {
  const command: CommandText | undefined = commands.find((c) => c.name === first)
  const seconds = secondWords(commands, first).map(({ word }) => word)
  return { word: first, meaning: command?.summary ?? seconds.join(', ') }
}
