import type { CommandText, Completion } from '../command.ts'
import { completionPoints, type OptionWord, type Point, spellings, valueOptions } from './points.ts'

/** The script for fish. */
export function fishCompletion(commands: readonly CommandText[]): string {
  const skipped = valueOptions(commands).flatMap(spellings).join(' ')
  return `# fish completion for gatectl, made by "gatectl completion fish"
function __gatectl_given
    set -l given
    set -l skip no
    for word in (commandline -opc)[2..-1]
        if test $skip = yes
            set skip no
        else if contains -- $word ${skipped}
            set skip yes
        else if not string match -q -- '-*' $word
            set -a given $word
        end
    end
    echo "$given"
end
function __gatectl_at
    string match -q -- "$argv[1]" (__gatectl_given)
end
function __gatectl_in
    string match -q -- "$argv[1]" (__gatectl_given); or string match -q -- "$argv[1] *" (__gatectl_given)
end
complete -c gatectl -f
${completionPoints(commands).flatMap(pointLines).join('\n')}`
}

function pointLines({ given, words, arguments: [first, ...more], options }: Point): readonly string[] {
  const at = `complete -c gatectl -n '__gatectl_at "${given}"'`
  const within = words.length > 0 ? at : `complete -c gatectl -n '__gatectl_in "${given}"'`
  return [
    ...words.map(({ word, meaning }) => `${at} -a ${word} -d ${quoted(meaning)}`),
    ...(first === undefined ? [] : [`${at} ${values(first)}`]),
    ...more.flatMap((argument, i) => {
      const after = `complete -c gatectl -n '__gatectl_at "${given}${' *'.repeat(i + 1)}"'`
      return argument === undefined ? [] : [`${after} ${values(argument)}`]
    }),
    ...options.map((option) => `${within} ${optionFlags(option)}`),
  ]
}

function optionFlags({ long, short, type, description, complete }: OptionWord): string {
  const name = short === undefined ? `-l ${long}` : `-l ${long} -s ${short}`
  const value = type === 'boolean' ? '' : ` -r ${complete === undefined ? '' : values(complete)}`
  return `${name}${value} -d ${quoted(description)}`
}

function values(completion: Completion): string {
  if (completion === 'file') return '-F'
  if (typeof completion === 'object') return `-a ${quoted(completion.join(' '))}`
  return `-a '(gatectl complete ${completion} (__gatectl_given | string split " ") 2>/dev/null)'`
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}
