import { LOCK_FILE, type Lock, lockSchema } from '../schemas/deploy/lock.ts'
import type { Finding } from './diagnostic.ts'
import type { OutputFile } from './emit/output.ts'

const EMPTY_LOCK: Lock = { version: 1, users: {}, ports: {}, retired: [] }

const INVALID_LOCK: Finding = {
  code: 'INVALID_LOCK',
  path: [],
  message: 'gate.lock.json is not what this compiler wrote',
  hint: 'restore it from a backup; without it, users and ports are chosen anew',
}

/** Reads gate.lock.json; an empty lock takes the place of one that is absent or cannot be read. */
export function readLock(text: string | undefined): { lock: Lock; findings: readonly Finding[] } {
  const lock = text === undefined ? EMPTY_LOCK : parseLock(text)
  return lock === undefined ? { lock: EMPTY_LOCK, findings: [INVALID_LOCK] } : { lock, findings: [] }
}

function parseLock(text: string): Lock | undefined {
  try {
    return lockSchema.safeParse(JSON.parse(text)).data
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

/** The lock as the file that the next compilation reads. */
export function lockFile(lock: Lock): OutputFile {
  const { retired, ...rest } = lock
  const text = `${JSON.stringify(retired.length === 0 ? rest : lock, null, 2)}\n`
  const lines = text.trimEnd().split('\n')
  return { path: LOCK_FILE, mode: 0o644, text, origins: lines.map(() => '') }
}
