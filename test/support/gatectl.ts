import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { runGatectl } from '../../ctl/gatectl.ts'

type Around = { readonly stdin?: string; readonly env?: Readonly<Record<string, string>> }

/** Runs gatectl in this process, with nothing of this process's environment. @see gatectl-process.ts */
export async function gatectl(args: readonly string[], { stdin = '', env = {} }: Around = {}) {
  const home = mkdtempSync(join(tmpdir(), 'gate-home-'))
  const [stdout, stderr] = [new PassThrough(), new PassThrough()]
  const written = Promise.all([text(stdout), text(stderr)])
  try {
    const code = await startGatectl(args, { stdin, env: { HOME: home, ...env }, stdout, stderr })
    stdout.end()
    stderr.end()
    const [out, err] = await written
    return { stdout: out, stderr: err, code }
  } finally {
    rmSync(home, { recursive: true, force: true })
  }
}

/** Runs gatectl in this process, on streams that the caller reads while it runs. @returns its exit code */
export function startGatectl(
  args: readonly string[],
  { stdin = '', env = {}, stdout, stderr }: Around & { readonly stdout: PassThrough; readonly stderr: PassThrough },
): Promise<number> {
  const isRoot = process.getuid?.() === 0 // the host is the real one
  return runGatectl(args, { env, stdin: Readable.from([stdin]), stdout, stderr, isRoot })
}
