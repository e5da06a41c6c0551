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

function pointCase({ given, words, argument, options }: Point): string {
  const flags = describe(
    'option',
    options.flatMap((o) => spellings(o).map((word) => ({ word, meaning: o.description }))),
  )
  if (words.length === 0 && argument === undefined) return `        ("${given}"|"${given} "*) ${flags} ;;`
  const first = argument === undefined ? describe('command', words) : replies(argument)
  const open = `        ("${given}") if [[ $PREFIX == -* ]]; then ${flags}; else ${first}; fi ;;`
  return words.length > 0 ? open : `${open}\n        ("${given} "*) ${flags} ;;`
}

function describe(what: string, words: readonly Word[]): string {
  const pairs = words.map(({ word, meaning }) => quoted(`${word.replaceAll(':', '\\:')}:${meaning}`))
  return `found=(${pairs.join(' ')}); _describe ${what} found`
}

function replies(completion: Completion | undefined): string {
  switch (completion) {
    case undefined:
      return ':'
    case 'file':
      return '_files'
    case 'config-key':
    case 'token-id':
    case 'backend-name':
      return `found=(\${(f)"$(gatectl complete ${completion} 2>/dev/null)"}); compadd -a found`
    default:
      return `compset -P '*,'; compadd -- ${completion.join(' ')}`
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
