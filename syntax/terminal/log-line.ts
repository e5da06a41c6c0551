import type { LogRecord } from '../../schemas/words/log.ts'

/**
 * A record as one line of JSON, without the newline at its end.
 * Control characters of every kind are escaped, so that neither a terminal nor a line reader can be fooled.
 */
export function jsonLine(record: LogRecord): string {
  const line = JSON.stringify(record)
  return isPlain(line) ? line : escapeControls(line)
}

/** Whether JSON is all ASCII and has no DEL: its other control characters are escaped already, and nothing else is found as fast. */
const isPlain = (json: string): boolean => Buffer.byteLength(json) === json.length && !json.includes('\u007f')

/** A record as one line for people: time, level, message, then `name=value` pairs. */
export function textLine(record: LogRecord): string {
  const { time, level, message } = record
  let line = `${time} ${level.padEnd(5)} ${escapeControls(message)}`
  // no list of its fields is made: there is a line for each request
  let name: keyof LogRecord
  for (name in record) if (!BEFORE_FIELDS.has(name)) line += ` ${name}=${shown(record[name])}`
  return line
}

const BEFORE_FIELDS: ReadonlySet<string> = new Set(['time', 'level', 'message'] satisfies (keyof LogRecord)[])

/** Text made safe to print: control, line-breaking and direction-changing characters become `\u` escapes. */
export function escapeControls(text: string): string {
  return UNSAFE.test(text) ? text.replace(UNSAFE_ALL, unicodeEscape) : text
}

// C0, DEL and C1 (0x9b starts a terminal sequence), line and paragraph separators, bidirectional overrides.
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must be found
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/
const UNSAFE_ALL = new RegExp(UNSAFE, 'g')

function unicodeEscape(character: string): string {
  if (character === '\n') return '\\n'
  if (character === '\r') return '\\r'
  if (character === '\t') return '\\t'
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}

/** What is shown as it is: printable characters of ASCII, but for the blank, `"`, `=` and `\`. */
const PLAIN = /^[!#-<>-[\]-~]+$/

function shown(value: string | number | undefined): string {
  if (typeof value !== 'string') return String(value)
  if (PLAIN.test(value)) return value
  return escapeControls(/[\s"=\\]/.test(value) || value === '' ? JSON.stringify(value) : value)
}
