import type { ShellCommand } from '../../syntax/shell/print.ts'

/** `skip`: this caller, or this host, cannot be looked at; `why` says what would help. */
export type Status = 'ok' | 'warn' | 'fail' | 'skip'

/** What to do about a finding: a line for a shell, or a change of something that no command can change. */
export type Fix =
  | { readonly kind: 'command'; readonly command: ShellCommand }
  | { readonly kind: 'edit'; readonly where: string; readonly change: string }

/** One line of the doctor's page. Everything but `ok` has a `why`; everything that is wrong has a `fix`. */
export type Finding = {
  readonly status: Status
  /** What was found, and of what. */
  readonly what: string
  /** Its consequence, or the evidence; may have several lines. */
  readonly why?: string
  readonly fix?: Fix
}

export function ok(what: string): Finding {
  return { status: 'ok', what }
}

/** Something that may do harm later, or that only some hosts need. */
export function warn(what: string, why: string, fix: Fix): Finding {
  return { status: 'warn', what, why, fix }
}

/** Something because of which a part of the deployment does not work. */
export function fail(what: string, why: string, fix: Fix): Finding {
  return { status: 'fail', what, why, fix }
}

export function skip(what: string, why: string): Finding {
  return { status: 'skip', what, why }
}

/** What an ordinary user is told about what only root sees. */
export const ROOT_SEES_MORE = 'only root can check this: run gatectl doctor as root'

/** A command as a fix: people paste it as root. */
export function command(line: ShellCommand): Fix {
  return { kind: 'command', command: line }
}

/** @param where a file, or a place such as "the DNS zone of example.org" */
export function edit(where: string, change: string): Fix {
  return { kind: 'edit', where, change }
}

/** "one", "one and two", "one, two and 5 more": a list that fits a line. */
export function listed(names: readonly string[], most = 4): string {
  const shown = names.length > most ? [...names.slice(0, most - 1), `${names.length - most + 1} more`] : names
  return shown.length < 2 ? shown.join('') : `${shown.slice(0, -1).join(', ')} and ${shown.at(-1)}`
}
