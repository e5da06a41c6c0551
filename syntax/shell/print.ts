import { pathText, type SpecPath } from '../../schemas/spec/path.ts'
import { escapeControls } from '../terminal/log-line.ts'

/**
 * A POSIX shell script: values of a spec as quoted assignments, then a program that is the same for every spec.
 * The only place that quotes for a shell.
 */
export type ShellScript = {
  readonly origin: SpecPath
  readonly comment: readonly string[]
  readonly assignments: readonly { readonly name: string; readonly value: string; readonly origin?: SpecPath }[]
  /** Whole lines. Never made of anything from a spec. */
  readonly program: string
}

/** The text of the script and, for each line, the path in the spec that it comes from. */
export function printShell(script: ShellScript): { text: string; origins: string[] } {
  const lines: { text: string; path?: SpecPath | undefined }[] = [
    { text: '#!/bin/sh' },
    ...script.comment.map((line) => ({ text: `# ${line}` })),
    ...script.assignments.map(({ name, value, origin }) => ({ text: `${name}=${quote(value)}`, path: origin })),
    ...script.program
      .trimEnd()
      .split('\n')
      .map((text) => ({ text })),
  ]
  return {
    text: lines.map(({ text }) => `${text}\n`).join(''),
    origins: lines.map(({ path }) => pathText(path ?? script.origin)),
  }
}

declare const quoted: unique symbol

/** A line for a person to paste into a shell. Only `sh` and `allOf` make one, so no value gets into it unquoted. */
export type ShellCommand = string & { readonly [quoted]: true }

/**
 * A command: what is written in the template is the shell's, what is put in is one word each, whatever it holds.
 * @example sh`chown -h ${owner} ${path}`
 */
export function sh(
  parts: TemplateStringsArray,
  ...values: readonly (string | number | readonly string[])[]
): ShellCommand {
  const words = values.map((value) =>
    typeof value === 'object' ? value.map(shellWord).join(' ') : shellWord(`${value}`),
  )
  return parts.map((part, i) => `${part}${words[i] ?? ''}`).join('') as ShellCommand
}

/** Commands of which each runs when the one before succeeded. */
export function allOf(...commands: readonly ShellCommand[]): ShellCommand {
  return commands.join(' && ') as ShellCommand
}

/** A word for an interactive shell (bash, zsh, ksh), also with line breaks in it: bare where that is safe. */
export function shellWord(value: string): string {
  if (/^[A-Za-z0-9_@%+=:,./-]+$/.test(value)) return value
  return value === escapeControls(value) ? quote(value) : ansiQuote(value)
}

/** With no character that a terminal acts on: `$'a\nb'`. */
function ansiQuote(value: string): string {
  return `$'${escapeControls(value.replace(/['\\]/g, '\\$&'))}'`
}

/** In single quotes nothing is special but the quote itself. @throws RangeError for control characters */
function quote(value: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(value)) throw new RangeError(`not a line of a script: ${JSON.stringify(value)}`)
  return `'${value.replaceAll("'", "'\\''")}'`
}
