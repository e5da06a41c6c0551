import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'

const root = join(import.meta.dirname, '../..')
export const GATECTL = join(root, 'bin/gatectl.ts')

type Surroundings = {
  readonly stdin?: string
  readonly env?: Readonly<Record<string, string>>
  /** A program and its arguments that start gatectl. */
  readonly through?: readonly string[]
}

/** Runs the real gatectl in a process of its own, with nothing of the caller's environment that leads to a daemon. */
export async function gatectl(args: readonly string[], { stdin = '', ...around }: Surroundings = {}) {
  const home = mkdtempSync(join(tmpdir(), 'gate-home-'))
  try {
    const child = startGatectl(args, { ...around, env: { HOME: home, ...around.env } })
    child.stdin.end(stdin)
    const exit = new Promise<number | null>((resolve) => child.once('close', resolve))
    const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), exit])
    return { stdout, stderr, code }
  } finally {
    rmSync(home, { recursive: true, force: true })
  }
}

/** Starts gatectl and leaves it running: whoever calls ends it. */
export function startGatectl(
  args: readonly string[],
  { env = {}, through = [] }: Surroundings,
): ChildProcessWithoutNullStreams {
  const [program = '', ...rest] = [...through, process.execPath, GATECTL, ...args]
  const child = spawn(program, rest, {
    env: { PATH: process.env['PATH'], HOME: '/nonexistent', XDG_CACHE_HOME: join(root, '.cache'), ...env },
  })
  child.stdin.on('error', () => {}) // a command that reads no input may be gone before it is written
  return child
}
