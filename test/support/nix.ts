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
  const { status, stdout, stderr, error } = runNix(['--store', 'dummy://', ...args], input)
  if (status !== 0) throw new Error(`${NIX} ${args[0]}: ${error?.message ?? stderr}`)
  return stdout
}

/** Runs nix-instantiate to its end, however it ends. What it writes to standard error is about the expression alone. */
export function runNix(args: readonly string[], input = '') {
  // Root of a Debian without the package nix-setup-systemd would be warned that the group nixbld is missing.
  const env = { ...process.env, NIX_CONFIG: 'build-users-group =', NIX_PATH: '' }
  return spawnSync(NIX, args, { input, env, encoding: 'utf8', maxBuffer: 2 ** 28, timeout: 60_000 })
}
