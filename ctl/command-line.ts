import { parseArgs } from 'node:util'
import { nearest } from '../schemas/words/nearest.ts'
import { GLOBAL_OPTIONS, type Option, usageOf } from './command.ts'
import { COMMANDS } from './command-table.ts'
import { usageFailure } from './failure.ts'
import { findCommand, unknownCommand } from './find-command.ts'
import type { Command } from './invocation.ts'

export type CommandLine =
  | { readonly kind: 'version'; readonly json: boolean }
  | { readonly kind: 'help'; readonly about: readonly string[] }
  | {
      readonly kind: 'run'
      readonly command: Command
      readonly arguments: readonly string[]
      readonly values: Readonly<Record<string, unknown>>
    }

/** @throws Failure with exit code 2, naming what was probably meant */
export function parseCommandLine(argv: readonly string[]): CommandLine {
  const words = wordsOf(argv)
  const found = findCommand(words, COMMANDS)
  const command = found?.command
  const options = { ...GLOBAL_OPTIONS, ...command?.options }
  const { values, positionals } = parseStrictly(argv, options, command)
  if (values['version'] === true) return { kind: 'version', json: values['json'] === true }
  if (values['help'] === true || (words.length === 0 && argv.length === 0)) return { kind: 'help', about: words }
  if (found === undefined) throw unknownCommand(words, COMMANDS)
  const given = positionals.slice(found.words)
  checkArguments(found.command, given)
  return { kind: 'run', command: found.command, arguments: given, values }
}

/** The words that are neither options nor their values, whatever command they belong to. */
function wordsOf(argv: readonly string[]): readonly string[] {
  const options: Record<string, Option> = Object.assign({}, GLOBAL_OPTIONS, ...COMMANDS.map((c) => c.options))
  return parseArgs({ args: [...argv], options: forParser(options), strict: false, allowPositionals: true }).positionals
}

function parseStrictly(
  argv: readonly string[],
  options: Readonly<Record<string, Option>>,
  command: Command | undefined,
) {
  try {
    // Without a command its options are unknown: the word is what the person must correct first.
    const strict = command !== undefined
    return parseArgs({ args: [...argv], options: forParser(options), strict, allowPositionals: true })
  } catch (error) {
    if (!(error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS'))) throw error
    throw wrongOption(error.message, options, command)
  }
}

/** The part of an option that the parser wants. */
function forParser(options: Readonly<Record<string, Option>>) {
  const entries = Object.entries(options).map(([name, { type, short, multiple = false }]) => [
    name,
    short === undefined ? { type, multiple } : { type, short, multiple },
  ])
  return Object.fromEntries(entries) as Record<
    string,
    { type: 'string' | 'boolean'; short?: string; multiple: boolean }
  >
}

function wrongOption(message: string, options: Readonly<Record<string, Option>>, command: Command | undefined) {
  const unknown = /^Unknown option '(-[^']*)'/.exec(message)?.[1]
  const name = command === undefined ? '' : ` ${command.name}`
  const help = `gatectl${name} --help shows the options`
  if (unknown === undefined) return usageFailure(message.split('.')[0]?.toLowerCase() ?? message, help)
  const meant = nearest(unknown.replace(/^-+/, ''), Object.keys(options))
  const takesWords = (command?.arguments.length ?? 0) > 0
  const otherwise = takesWords ? `${help}; put "--" before an argument that starts with "-"` : help
  return usageFailure(
    `gatectl${name}: unknown option ${unknown}`,
    meant === undefined ? otherwise : `did you mean --${meant}?`,
  )
}

function checkArguments(command: Command, given: readonly string[]): void {
  const usage = `usage: ${usageOf(command)}`
  const missing = command.arguments.find((argument, index) => index >= given.length && argument.optional !== true)
  if (missing !== undefined) throw usageFailure(`gatectl ${command.name}: ${missing.name} is missing`, usage)
  const extra = given[command.arguments.length]
  if (extra !== undefined)
    throw usageFailure(
      `gatectl ${command.name}: "${extra}" is one argument too many; quote an argument that has spaces`,
      usage,
    )
}
