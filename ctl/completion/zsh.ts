import type { CommandText, Completion } from '../command.ts'
import { completionPoints, type Point, spellings, valueOptions, type Word } from './points.ts'

/** The script for zsh: to be sourced, or to lie in $fpath as `_gatectl`. */
export function zshCompletion(commands: readonly CommandText[]): string {
  const withValue = valueOptions(commands)
  const values = withValue.map((option) => `    (${spellings(option).join('|')}) ${replies(option.complete)} ;;`)
  return `#compdef gatectl
# zsh completion for gatectl, made by "gatectl completion zsh"
_gatectl() {
  local given='' i
  local -a found
  for ((i = 2; i < CURRENT; i++)); do
    case \${words[i]} in
      (${withValue.flatMap(spellings).join('|')}) ((i++)) ;;
      (-*) ;;
      (*) given+="\${given:+ }\${words[i]}" ;;
    esac
  done
  case \${words[CURRENT-1]} in
${values.join('\n')}
    (*)
      case $given in
${completionPoints(commands).map(pointCase).join('\n')}
      esac
      ;;
  esac
}
if [[ $funcstack[1] == _gatectl ]]; then _gatectl "$@"; else compdef _gatectl gatectl; fi`
}

/** Options are offered once a `-` is typed: before that they would be put in where a value belongs. */
function pointCase({ given, words, arguments: [first, ...more], options }: Point): string {
  const flags = describe(
    'option',
    options.flatMap((o) => spellings(o).map((word) => ({ word, meaning: o.description }))),
  )
  const offer = (pattern: string, values: string) =>
    `        (${pattern}) if [[ $PREFIX == -* ]]; then ${flags}; else ${values}; fi ;;`
  const at = offer(`"${given}"`, words.length > 0 ? describe('command', words) : replies(first))
  if (words.length > 0) return at
  const later = more.map((argument, i) => offer(`"${given} "${'*" "'.repeat(i)}*`, replies(argument))).reverse()
  return [at, ...later, ...(later.length === 0 ? [offer(`"${given} "*`, ':')] : [])].join('\n')
}

function describe(what: string, words: readonly Word[]): string {
  const pairs = words.map(({ word, meaning }) => quoted(`${word.replaceAll(':', '\\:')}:${meaning}`))
  return `found=(${pairs.join(' ')}); _describe ${what} found`
}

function replies(completion: Completion | undefined): string {
  if (completion === undefined) return ':'
  if (completion === 'file') return '_files'
  if (typeof completion === 'object') return `compset -P '*,'; compadd -- ${completion.join(' ')}`
  return `found=(\${(f)"$(gatectl complete ${completion} \${=given} 2>/dev/null)"}); compadd -a found`
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
