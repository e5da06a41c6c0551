import { pathText, type SpecPath } from '../../schemas/spec/path.ts'

/**
 * systemd's unit syntax, for units and quadlets: the tree, and the only place that escapes for it.
 * @see systemd.syntax(7), systemd.unit(5) "Specifiers", systemd.service(5) "Command lines"
 */
export type UnitFile = {
  /** Where the file as a whole comes from. */
  readonly origin: SpecPath
  /** Lines of explanation at the top. */
  readonly comment: readonly string[]
  readonly sections: readonly Section[]
}

export type Section = { readonly name: string; readonly entries: readonly Entry[] }

export type Entry = {
  readonly key: string
  readonly value: Value
  readonly origin?: SpecPath
  /** Is printed on a separate line above. */
  readonly comment?: string
}

/** How the reader of a key takes its text apart; each form is escaped so that it reads back as what is given here. */
export type Value =
  /** Taken as it is; specifiers are expanded. */
  | { readonly kind: 'text'; readonly text: string }
  /** Taken as it is, then put on a command line by quadlet, where systemd also expands `$`. */
  | { readonly kind: 'argument'; readonly text: string }
  /** Split into words. */
  | { readonly kind: 'words'; readonly words: readonly string[] }
  /** Split into words of a command line, where `$` is expanded. */
  | { readonly kind: 'command'; readonly words: readonly string[] }
  /** A specifier or another text that systemd is meant to interpret. Never made of anything from a spec. */
  | { readonly kind: 'literal'; readonly text: string }

/** The text of the file and, for each line, the path in the spec that it comes from. */
export function printUnit(unit: UnitFile): { text: string; origins: string[] } {
  const whole = pathText(unit.origin)
  const lines: { text: string; origin: string }[] = unit.comment.map((line) => ({
    text: `# ${oneLine(line)}`,
    origin: whole,
  }))
  for (const { name, entries } of unit.sections) {
    if (entries.length === 0) continue
    if (lines.length > 0) lines.push({ text: '', origin: whole })
    lines.push({ text: `[${name}]`, origin: whole })
    for (const { key, value, origin: path, comment } of entries) {
      const origin = path === undefined ? whole : pathText(path)
      if (comment !== undefined) lines.push({ text: `# ${oneLine(comment)}`, origin })
      lines.push({ text: `${key}=${valueText(value)}`, origin })
    }
  }
  return { text: lines.map(({ text }) => `${text}\n`).join(''), origins: lines.map(({ origin }) => origin) }
}

export const text = (value: string): Value => ({ kind: 'text', text: value })
export const argument = (value: string): Value => ({ kind: 'argument', text: value })
export const words = (...values: readonly string[]): Value => ({ kind: 'words', words: values })
export const command = (...values: readonly string[]): Value => ({ kind: 'command', words: values })
export const literal = (value: string): Value => ({ kind: 'literal', text: value })

/** A time span as systemd reads it, from milliseconds. */
export const timeSpan = (ms: number): Value => literal(ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`)

/** The value as it is written after the key. */
export function valueText(value: Value): string {
  switch (value.kind) {
    case 'text':
      return whole(escapeSpecifiers(oneLine(value.text)))
    case 'argument':
      return whole(escapeDollars(escapeSpecifiers(oneLine(value.text))))
    case 'words':
      return value.words.map((word) => quote(escapeSpecifiers(oneLine(word)))).join(' ')
    case 'command':
      return value.words.map((word) => quote(escapeDollars(escapeSpecifiers(oneLine(word))))).join(' ')
    case 'literal':
      return oneLine(value.text)
  }
}

function escapeSpecifiers(value: string): string {
  return value.replaceAll('%', '%%')
}

function escapeDollars(value: string): string {
  return value.replaceAll('$', '$$$$')
}

/** Words of plain characters are left as they are; all others in double quotes. */
function quote(word: string): string {
  if (/^[A-Za-z0-9_@%+=:,./$-]+$/.test(word)) return word
  return `"${word.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
}

/** A text that is not quoted must survive trimming and not continue on the next line. */
function whole(value: string): string {
  if (value !== value.trim() || value.endsWith('\\'))
    throw new RangeError(`a unit cannot hold this text unquoted: ${JSON.stringify(value)}`)
  return value
}

/** Parsing has refused control characters already; a line break here would become a directive. */
function oneLine(value: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(value))
    throw new RangeError(`a unit cannot hold control characters: ${JSON.stringify(value)}`)
  return value
}
