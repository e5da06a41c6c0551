import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

const NIX = 'nix-instantiate'

/** Our own stand-in for the NixOS module system. */
export const NIX_TESTS = join(import.meta.dirname, '../nix')

/** Whether the real reader of Nix is here; it comes with Debian's package nix-bin. */
export const hasNix = spawnSync(NIX, ['--version']).status === 0

/** Parses files. @throws Error with what nix-instantiate says */
export function parseNix(files: readonly string[]): void {
  run(['--parse', ...files])
}

/** The value of an expression, as JSON. @throws Error with what nix-instantiate says */
export function evaluateNix(expression: string): unknown {
  return JSON.parse(run(['--eval', '--strict', '--json', '-'], expression))
}

function run(args: readonly string[], input = ''): string {
  // the store "dummy" lets an unprivileged user evaluate where Nix was never set up
  const options = { input, encoding: 'utf8', maxBuffer: 2 ** 28, timeout: 60_000 } as const
  const { status, stdout, stderr, error } = spawnSync(NIX, ['--store', 'dummy://', ...args], options)
  if (status !== 0) throw new Error(`${NIX} ${args[0]}: ${error?.message ?? stderr}`)
  return stdout
}
