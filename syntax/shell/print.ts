import { pathText, type SpecPath } from '../../schemas/spec/path.ts'

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

/** A word for an interactive shell: bare where that is safe. @throws RangeError for control characters */
export function shellWord(value: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(value) ? value : quote(value)
}

/** In single quotes nothing is special but the quote itself. */
function quote(value: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(value)) throw new RangeError(`not a line of a script: ${JSON.stringify(value)}`)
  return `'${value.replaceAll("'", "'\\''")}'`
}
