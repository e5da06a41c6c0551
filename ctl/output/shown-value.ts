import { escapeControls } from '../../syntax/terminal/log-line.ts'

/** A configuration value for people: strings bare, secrets never, everything else as JSON. */
export function shownValue(value: unknown): string {
  if (value === undefined || value === null) return '-'
  if (typeof value === 'string') return escapeControls(value)
  if (isSecret(value)) return '(secret)'
  return escapeControls(JSON.stringify(value))
}

function isSecret(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'secret' in value && value.secret === true
}
