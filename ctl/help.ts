import { type CommandText, GLOBAL_OPTIONS, type Option, usageOf, withAliases } from './command.ts'
import { findCommand, unknownCommand } from './find-command.ts'

/**
 * The help about a command or a group of them, or the overview, without a newline at its end.
 * @param words those of the command; none for the overview
 * @throws Failure when there is no such command
 */
export function helpText(words: readonly string[], commands: readonly CommandText[]): string {
  const [first] = words
  const command = findCommand(words, commands)?.command
  if (command !== undefined) return commandHelp(command)
  const visible = withAliases(commands.filter(({ hidden }) => hidden !== true))
  if (first === undefined) return overview(visible)
  const group = visible.filter(({ name }) => name.startsWith(`${first} `))
  if (group.length === 0) throw unknownCommand(words, commands)
  return `Usage: gatectl ${first} COMMAND\n\n${list(group)}`
}

function overview(commands: readonly CommandText[]): string {
  return [
    'gatectl compiles specs, and talks to a running gate-daemon.',
    '',
    'Usage: gatectl [--json] [--socket PATH] COMMAND',
    '',
    list(commands),
    '',
    'Options:',
    optionList(GLOBAL_OPTIONS),
    '',
    'gatectl looks for the daemon at --socket, else $GATE_ADMIN_SOCKET, else $STATE_DIRECTORY/admin.sock,',
    '$XDG_STATE_HOME/gate/admin.sock (~/.local/state/gate), /run/gate/admin.sock.',
    'Exit codes: 0 done, 1 failed, 2 wrong usage, 3 a check failed or found a difference.',
  ].join('\n')
}

function list(commands: readonly CommandText[]): string {
  const rows = commands.map((c) => [
    [c.name, ...c.arguments.map((a) => (a.optional ? `[${a.name}]` : a.name))].join(' '),
    c.summary,
  ])
  return aligned(rows)
}

function commandHelp(command: CommandText): string {
  const { summary, options, notes } = command
  const parts = [
    `Usage: ${usageOf(command)}`,
    '',
    `${summary.slice(0, 1).toUpperCase()}${summary.slice(1)}.`,
    '',
    'Options:',
  ]
  parts.push(optionList({ ...options, ...GLOBAL_OPTIONS }))
  if (notes !== undefined) parts.push('', notes)
  return parts.join('\n')
}

function optionList(options: Readonly<Record<string, Option>>): string {
  const rows = Object.entries(options).map(([name, { short, value, description }]) => {
    const long = value === undefined ? `--${name}` : `--${name} ${value}`
    return [short === undefined ? `    ${long}` : `-${short}, ${long}`, description]
  })
  return aligned(rows)
}

function aligned(rows: readonly (readonly string[])[]): string {
  const width = Math.max(...rows.map(([left = '']) => left.length))
  return rows.map(([left = '', right = '']) => `  ${left.padEnd(width)}  ${right}`).join('\n')
}
