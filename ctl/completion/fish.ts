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
    test (__gatectl_given) = "$argv[1]"
end
function __gatectl_in
    string match -q -- "$argv[1]" (__gatectl_given); or string match -q -- "$argv[1] *" (__gatectl_given)
end
complete -c gatectl -f
${completionPoints(commands).flatMap(pointLines).join('\n')}`
}

function pointLines({ given, words, argument, options }: Point): readonly string[] {
  const at = `complete -c gatectl -n '__gatectl_at "${given}"'`
  const within = words.length > 0 ? at : `complete -c gatectl -n '__gatectl_in "${given}"'`
  return [
    ...words.map(({ word, meaning }) => `${at} -a ${word} -d ${quoted(meaning)}`),
    ...(argument === undefined ? [] : [`${at} ${values(argument)}`]),
    ...options.map((option) => `${within} ${optionFlags(option)}`),
  ]
}

function optionFlags({ long, short, type, description, complete }: OptionWord): string {
  const name = short === undefined ? `-l ${long}` : `-l ${long} -s ${short}`
  const value = type === 'boolean' ? '' : ` -r ${complete === undefined ? '' : values(complete)}`
  return `${name}${value} -d ${quoted(description)}`
}

function values(completion: Completion): string {
  switch (completion) {
    case 'file':
      return '-F'
    case 'config-key':
    case 'token-id':
    case 'backend-name':
      return `-a '(gatectl complete ${completion} 2>/dev/null)'`
    default:
      return `-a ${quoted(completion.join(' '))}`
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}
