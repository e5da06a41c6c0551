import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { expect } from 'vitest'

/** Whether a program of a Debian package is there; tests that need it are skipped by name where it is not. */
export function hasProgram(name: string): boolean {
  return spawnSync('sh', ['-c', 'PATH=$PATH:/usr/sbin:/sbin; command -v "$1"', 'sh', name]).status === 0
}

/** Runs a program to its end. @throws when it fails, with all that it wrote */
export function run(program: string, args: readonly string[], input = ''): string {
  const { status, stdout, stderr, error } = tryRun(program, args, input)
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} exited with ${status}: ${error}${stderr}${stdout}`)
  return stdout
}

/** Runs a program to its end, however it ends; for 30 s at most. */
export function tryRun(program: string, args: readonly string[], input = '', env: NodeJS.ProcessEnv = {}) {
  const PATH = `${process.env['PATH']}:/usr/sbin:/sbin`
  const child = spawnSync(program, args, {
    input,
    encoding: 'utf8',
    timeout: 30_000,
    env: { ...process.env, PATH, ...env },
  })
  return { status: child.status, stdout: child.stdout ?? '', stderr: child.stderr ?? '', error: child.error ?? '' }
}

/** A port of the loopback that was free a moment ago, for programs that cannot choose one themselves. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (typeof address !== 'object' || address === null) return expect.unreachable('a TCP server has a port')
  return address.port
}

/** node-pty, which npm leaves out where it cannot be compiled: no shell opens without it. */
export const hasTerminals = existsSync(join(import.meta.dirname, '../../node_modules/node-pty'))
