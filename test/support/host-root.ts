import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { OutputFile } from '../../compiler/emit/output.ts'
import { DEBIAN_LAYOUT } from '../../schemas/deploy/layout.ts'

/** Programs that units name; a reader looks whether they are there, none is run. */
const RUN = [...Object.values(DEBIAN_LAYOUT.programs), '/lib/systemd/systemd', '/usr/lib/systemd/systemd']

/** Writes the files to the places below `root` where they belong on a host. @returns those places, from the root */
export function install(files: readonly OutputFile[], root: string): string[] {
  return files.flatMap(({ install: place, text, mode }) => {
    if (place === undefined) return []
    const file = join(root, place)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text, { mode })
    return [place]
  })
}

/** A directory like the root of a host with these files, this machine's own system units, and the programs. */
export function hostRoot(files: readonly OutputFile[]): { readonly root: string; readonly installed: string[] } {
  const root = mkdtempSync(join(tmpdir(), 'gate-root-'))
  onTestFinished(() => rmSync(root, { recursive: true, force: true }))
  cpSync('/usr/lib/systemd/system', join(root, 'usr/lib/systemd/system'), { recursive: true, verbatimSymlinks: true })
  for (const program of RUN) {
    mkdirSync(dirname(join(root, program)), { recursive: true })
    writeFileSync(join(root, program), '', { mode: 0o755 })
  }
  return { root, installed: install(files, root) }
}

/** Names of the system units among the files that can be started: a template by the instances that have a drop-in. */
export function startable(files: readonly OutputFile[]): string[] {
  const names = files.flatMap(({ path }) => /^systemd\/system\/([^/]+?)(?:\.d\/.*)?$/.exec(path)?.[1] ?? [])
  const units = names.map((name) => (name === 'user@.service' ? 'user@40000.service' : name))
  return [...new Set(units)].filter((name) => !name.includes('@.'))
}
