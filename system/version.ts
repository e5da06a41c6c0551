import { readFileSync } from 'node:fs'
import { findPackageJSON } from 'node:module'

/** The version in the package's own package.json, from the sources and from dist/ alike. */
export function packageVersion(): string {
  const file = findPackageJSON(import.meta.url)
  if (file === undefined) throw new Error('no package.json above this file; the installation is incomplete')
  const manifest: unknown = JSON.parse(readFileSync(file, 'utf8'))
  if (
    typeof manifest === 'object' &&
    manifest !== null &&
    'version' in manifest &&
    typeof manifest.version === 'string'
  )
    return manifest.version
  throw new Error(`${file} has no version`)
}
