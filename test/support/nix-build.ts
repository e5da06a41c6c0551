import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { GATECTL } from './gatectl-process.ts'
import type { NixosHost } from './nixos.ts'

type Build = NixosHost['builds'][number]

/** A store with the programs that builds of Gate's modules run, where they can be built without Nix. */
export function nixStore() {
  const path = mkdtempSync(join(tmpdir(), 'gate-store-'))
  const bin = join(path, 'gate/bin')
  mkdirSync(bin, { recursive: true })
  writeFileSync(join(bin, 'gatectl'), `#!/bin/sh\nexec ${process.execPath} ${GATECTL} "$@"\n`, { mode: 0o755 })
  return {
    path,
    /** Runs the script of a derivation as Nix would. @returns its output, below this store @throws what it wrote */
    build: (build: Build) => buildFiles(path, build),
    /** A text that names places in the store, as it is below this one. */
    here: (text: string) => text.replaceAll('/nix/store/', `${path}/`),
    remove: () => rmSync(path, { recursive: true, force: true }),
  }
}

function buildFiles(store: string, { path, script, environment }: Build): string {
  const here = (text: string) => text.replaceAll('/nix/store/', `${store}/`)
  const folder = mkdtempSync(join(store, 'build-'))
  const out = here(path)
  const files = Object.entries(environment).map(([name, text]) => {
    writeFileSync(join(folder, `.attr-${name}`), here(text))
    return [`${name}Path`, join(folder, `.attr-${name}`)]
  })
  const env = { PATH: process.env['PATH'], HOME: folder, out, ...Object.fromEntries(files) }
  const options = { cwd: folder, env, input: here(script), encoding: 'utf8', timeout: 60_000 } as const
  const { status, stdout, stderr } = spawnSync('bash', ['-e', '-u', '-o', 'pipefail', '-s'], options)
  if (status !== 0) throw new Error(`the build of ${path} ended with ${status}:\n${stdout}${stderr}`)
  return out
}

/** Puts the output of a build where the host has it. */
export function link(target: string, place: string): void {
  mkdirSync(join(place, '..'), { recursive: true })
  symlinkSync(target, place)
}
