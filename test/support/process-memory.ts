import { closeSync, openSync, readFileSync, readSync } from 'node:fs'

const CHUNK_BYTES = 2 ** 24

/** Whether this process may read the memory of others. */
export const canReadMemory = process.platform === 'linux' && process.getuid?.() === 0

/**
 * Which of some texts are in the memory of a process that it can write to: heap, stacks, buffers, as a core would have it.
 * @see proc_pid_mem(5)
 */
export function textsInMemory(pid: number, texts: readonly string[]): readonly string[] {
  const forms = texts.map((text) => [Buffer.from(text), Buffer.from(text, 'utf16le')])
  const overlap = Math.max(...texts.map(({ length }) => 2 * length))
  const found = new Set<string>()
  const file = openSync(`/proc/${pid}/mem`, 'r')
  const chunk = Buffer.alloc(CHUNK_BYTES)
  try {
    for (const [, from = '', to = ''] of readFileSync(`/proc/${pid}/maps`, 'utf8').matchAll(/^(\w+)-(\w+) rw/gm)) {
      const end = Number.parseInt(to, 16)
      for (let at = Number.parseInt(from, 16); at < end; at += CHUNK_BYTES - overlap) {
        const bytes = readFrom(file, chunk.subarray(0, Math.min(CHUNK_BYTES, end - at)), at)
        for (const [i, text] of texts.entries())
          if (forms[i]?.some((form) => bytes.includes(form)) === true) found.add(text)
      }
    }
  } finally {
    closeSync(file)
  }
  return texts.filter((text) => found.has(text))
}

/** What was unmapped since, or never can be read, is no memory. */
function readFrom(file: number, into: Buffer, at: number): Buffer {
  try {
    return into.subarray(0, readSync(file, into, 0, into.length, at))
  } catch {
    return into.subarray(0, 0)
  }
}
