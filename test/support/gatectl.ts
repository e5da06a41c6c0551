import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'

const root = join(import.meta.dirname, '../..')
export const GATECTL = join(root, 'bin/gatectl.ts')

/** Runs the real gatectl in a process of its own, with nothing of the caller's environment that leads to a daemon. */
export async function gatectl(
  args: readonly string[],
  { stdin = '', env = {} }: { readonly stdin?: string; readonly env?: Readonly<Record<string, string>> } = {},
) {
  const home = mkdtempSync(join(tmpdir(), 'gate-home-'))
  try {
    const child = spawn(process.execPath, [GATECTL, ...args], {
      env: { PATH: process.env['PATH'], HOME: home, XDG_CACHE_HOME: join(root, '.cache'), ...env },
    })
    child.stdin.on('error', () => {}) // a command that reads no input may be gone before it is written
    child.stdin.end(stdin)
    const exit = new Promise<number | null>((resolve) => child.once('close', resolve))
    const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), exit])
    return { stdout, stderr, code }
  } finally {
    rmSync(home, { recursive: true, force: true })
  }
}
