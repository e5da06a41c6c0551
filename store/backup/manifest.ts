import { BackupError } from './chunks.ts'
import type { ModelFile } from './state-files.ts'

/** The first entry of a backup: what made it, when, and the models that it does not hold. */
export type Manifest = {
  readonly version: 1
  readonly gate: string
  readonly made_at: string
  readonly models: readonly ModelFile[]
}

/** @throws BackupError */
export function manifestOf(text: string): Manifest {
  const value = JSON.parse(text) as Partial<Manifest>
  if (typeof value.version === 'number' && value.version > 1)
    throw new BackupError('newer', `it was made by a newer version of Gate (${value.gate})`)
  if (value.version === 1 && typeof value.gate === 'string' && Array.isArray(value.models)) return value as Manifest
  throw new BackupError('format', 'it has no manifest')
}
