import { COMMANDS, type Command, type Completion, GLOBAL_OPTIONS, type Option } from '../commands.ts'

/** A word and what it means. */
export type Word = { readonly word: string; readonly meaning: string }

/** What can come after the words `given` of a command line, such as `config set`; options do not count as given. */
export type Point = {
  readonly given: string
  readonly words: readonly Word[]
  /** The first argument of a command. */
  readonly argument: Completion | undefined
  readonly options: readonly OptionWord[]
}
export type OptionWord = Option & { readonly long: string }

const VISIBLE = COMMANDS.filter((command) => command.hidden !== true)

/** Every point at which a completion script has something to say, the start first. */
export function completionPoints(): readonly Point[] {
  const globals = optionWords(GLOBAL_OPTIONS)
  const groups = [...new Set(VISIBLE.map((c) => c.name.split(' ')[0] ?? ''))].map((first) => wordOf(first))
  const start: Point = { given: '', words: groups, argument: undefined, options: globals }
  const inGroups = groups
    .filter(({ word }) => !VISIBLE.some((c) => c.name === word))
    .map(({ word }) => ({ given: word, words: secondWords(word), argument: undefined, options: globals }))
  const commands = VISIBLE.map((command) => ({
    given: command.name,
    words: [],
    argument: command.arguments[0]?.complete,
    options: [...optionWords(command.options), ...globals],
  }))
  return [start, ...inGroups, ...commands]
}

/** Every option that takes a value, of whatever command, once. */
export function valueOptions(): readonly OptionWord[] {
  const all = [GLOBAL_OPTIONS, ...VISIBLE.map((c) => c.options)].flatMap(optionWords)
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

function secondWords(first: string): readonly Word[] {
  const inGroup = VISIBLE.filter((c) => c.name.startsWith(`${first} `))
  return inGroup.map((c) => ({ word: c.name.slice(first.length + 1), meaning: c.summary }))
}

function wordOf(first: string): Word {
  const command: Command | undefined = VISIBLE.find((c) => c.name === first)
  const seconds = secondWords(first).map(({ word }) => word)
  return { word: first, meaning: command?.summary ?? seconds.join(', ') }
}
