import { escapeControls } from '../../syntax/terminal/log-line.ts'

/** What `styleText` puts around our own words: bold, dim, red, green, yellow, and their ends. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must be found
const STYLE = /(\u001b\[(?:1|2|22|31|32|33|39)m)/

/**
 * A text as it may reach a terminal, no matter who wrote it: nothing in it moves the cursor, hides a part or ends a line, at
 * most it is coloured. Every line of gatectl goes through here but the bytes of a shell.
 */
export function printed(text: string): string {
  return text
    .split(STYLE)
    .map((part, i) => (i % 2 === 1 ? part : printable(part)))
    .join('')
}

/** Tabs stay: the marks below a line count on them. */
export function printable(text: string): string {
  return text
    .split('\n')
    .map((line) => line.split('\t').map(escapeControls).join('\t'))
    .join('\n')
}
