import type { CommandText, Completion } from '../command.ts'
import { completionPoints, type Point, spellings, valueOptions } from './points.ts'

/** The script for bash; needs nothing but bash. Every word in it comes from the command table and needs no quoting. */
export function bashCompletion(commands: readonly CommandText[]): string {
  const withValue = valueOptions(commands)
  const values = withValue.map((option) => `    ${spellings(option).join('|')}) ${replies(option.complete)} ;;`)
  return `# bash completion for gatectl, made by "gatectl completion bash"
_gatectl() {
  local line=\${COMP_LINE:0:COMP_POINT} given='' cur prev i
  local -a words
  read -ra words <<<"$line"
  case $line in *[[:space:]]) words+=('') ;; esac
  cur=\${words[\${#words[@]} - 1]}
  prev=\${words[\${#words[@]} - 2]}
  COMPREPLY=()
  for ((i = 1; i < \${#words[@]} - 1; i++)); do
    case \${words[i]} in
    ${withValue.flatMap(spellings).join('|')}) ((i++)) ;;
    -*) ;;
    *) given+="\${given:+ }\${words[i]}" ;;
    esac
  done
  case $prev in
${values.join('\n')}
  *)
    case $given in
${completionPoints(commands).map(pointCase).join('\n')}
    esac
    ;;
  esac
  # A colon ends a word of bash: what stands before it is on the line already.
  case $COMP_WORDBREAKS$cur in
  *:*:*) COMPREPLY=("\${COMPREPLY[@]#"\${cur%"\${cur##*:}"}"}") ;;
  esac
}
_gatectl_words() {
  mapfile -t COMPREPLY < <(compgen -W "$1" -- "$cur")
}
_gatectl_list() {
  local head=\${cur%"\${cur##*,}"}
  mapfile -t COMPREPLY < <(compgen -P "$head" -W "$1" -- "\${cur##*,}")
}
_gatectl_files() {
  compopt -o filenames 2>/dev/null
  mapfile -t COMPREPLY < <(compgen -f -- "$cur")
}
complete -F _gatectl gatectl`
}

function pointCase({ given, words, argument, options }: Point): string {
  const flags = options.flatMap(spellings).join(' ')
  const plain = words.map(({ word }) => word).join(' ')
  if (words.length === 0 && argument === undefined) return `    "${given}" | "${given} "*) _gatectl_words "${flags}" ;;`
  const first = argument === undefined ? `_gatectl_words "${plain}"` : replies(argument)
  const open = `    "${given}") case $cur in -*) _gatectl_words "${flags}" ;; *) ${first} ;; esac ;;`
  return words.length > 0 ? open : `${open}\n    "${given} "*) _gatectl_words "${flags}" ;;`
}

/** The command that fills in what can be completed; `:` does nothing. */
function replies(completion: Completion | undefined): string {
  switch (completion) {
    case undefined:
      return ':'
    case 'file':
      return '_gatectl_files'
    case 'config-key':
    case 'token-id':
    case 'backend-name':
      return `_gatectl_words "$(gatectl complete ${completion} 2>/dev/null)"`
    default:
      return `_gatectl_list "${completion.join(' ')}"`
  }
}
