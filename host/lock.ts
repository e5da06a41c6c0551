import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { HostError } from './problem.ts'

export type Lock = { release(): Promise<void> }

/**
 * Keeps others from working on the same host until it is released. The kernel releases it when this process dies,
 * however that happens: flock(1) holds it for as long as its standard input is open.
 * @param waitMs how long to wait for another one, at most; 0 refuses at once
 * @throws HostError BUSY saying who holds it
 */
export async function takeLock(file: string, holder: string, waitMs: number): Promise<Lock> {
  mkdirSync(dirname(file), { recursive: true })
  const patience = waitMs > 0 ? ['--timeout', String(Math.ceil(waitMs / 1000))] : ['--nonblock']
  const args = ['--exclusive', ...patience, file, 'sh', '-c', 'echo locked; cat >/dev/null']
  const child = spawn('flock', args, { stdio: ['pipe', 'pipe', 'inherit'] })
  const ended = new Promise<void>((resolve) => {
    child.on('close', () => resolve())
    child.on('error', () => resolve())
  })
  const isOurs = await new Promise<boolean>((resolve) => {
    child.stdout.once('data', () => resolve(true))
    void ended.then(() => resolve(false))
  })
  if (!isOurs) {
    const who = readHolder(file)
    const hint = 'wait for it with --wait SECONDS; nothing was changed'
    throw new HostError({ code: 'BUSY', message: `another gatectl is working on this host: ${who}`, hint })
  }
  writeFileSync(file, `${holder}\n`)
  return {
    async release() {
      child.stdin.end()
      await ended
    },
  }
}

function readHolder(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim() || 'unknown'
  } catch {
    return 'unknown'
  }
}
