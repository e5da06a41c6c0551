import { hash } from 'node:crypto'

type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json }

/** Settings for a client, with the checksum that it computes of them by itself. */
export type ManagedSettings = {
  readonly uuid: string
  readonly checksum: string
  readonly settings: Readonly<Record<string, unknown>>
}

/** @param text a JSON object, as the configuration has checked */
export function managedSettingsIn(text: string): ManagedSettings {
  const settings: Readonly<Record<string, Json>> = JSON.parse(text)
  const digest = hash('sha256', sortedJson(settings))
  // a UUID of what is in them (version 8, RFC 9562): the same settings have the same one
  const uuid = `${digest.slice(0, 8)}-${digest.slice(8, 12)}-8${digest.slice(13, 16)}-8${digest.slice(17, 20)}-${digest.slice(20, 32)}`
  return { uuid, checksum: `sha256:${digest}`, settings }
}

/** JSON with sorted keys at every level, and no white space. */
function sortedJson(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(sortedJson).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const members = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${sortedJson(member)}`).join(',')}}`
}
