import { escapeControls } from '../../syntax/terminal/log-line.ts'

/** A configuration value for people: strings bare, secrets never, everything else as JSON. */
export function shownValue(value: unknown): string {
  if (value === undefined || value === null) return '-'
  if (typeof value === 'string') return escapeControls(value)
  if (isSecret(value))
    return value.fingerprint === undefined ? '(secret)' : `(secret, ${escapeControls(String(value.fingerprint))})`
  return escapeControls(JSON.stringify(value))
}

function isSecret(value: unknown): value is { readonly secret: true; readonly fingerprint?: unknown } {
  return typeof value === 'object' && value !== null && 'secret' in value && value.secret === true
}
