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
  # A colon ends a word of bash: what comes before it is on the line already.
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

/** Options are offered once a `-` is typed: before that they would be put in where a value belongs. */
function pointCase({ given, words, arguments: [first, ...more], options }: Point): string {
  const flags = `_gatectl_words "${options.flatMap(spellings).join(' ')}"`
  const offer = (pattern: string, values: string) =>
    `    ${pattern}) case $cur in -*) ${flags} ;; *) ${values} ;; esac ;;`
  const plain = words.length > 0 ? `_gatectl_words "${words.map(({ word }) => word).join(' ')}"` : replies(first)
  const at = offer(`"${given}"`, plain)
  if (words.length > 0) return at
  const later = more.map((argument, i) => offer(`"${given} "${'*" "'.repeat(i)}*`, replies(argument))).reverse()
  return [at, ...later, ...(later.length === 0 ? [offer(`"${given} "*`, ':')] : [])].join('\n')
}

/** The command that fills in what can be completed; `:` does nothing. */
function replies(completion: Completion | undefined): string {
  if (completion === undefined) return ':'
  if (completion === 'file') return '_gatectl_files'
  if (typeof completion === 'object') return `_gatectl_list "${completion.join(' ')}"`
  return `_gatectl_words "$(gatectl complete ${completion} $given 2>/dev/null)"`
}
