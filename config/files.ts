import { lstatSync, readFileSync, statSync } from 'node:fs'

/**
 * @returns undefined when there is no such file
 * @throws the system's error, ENOENT for a link that leads nowhere; TypeError when it is not UTF-8
 */
export function readText(file: string): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(readPlainFile(file))
  } catch (error) {
    if (errorCode(error) === 'ENOENT' && lstatSync(file, { throwIfNoEntry: false }) === undefined) return undefined
    throw error
  }
}

/** Larger than any configuration; a file of this size is something else. */
const LARGEST_BYTES = 16 * 2 ** 20

/**
 * Reads a file that is one: a FIFO or a device could be waited for, or read from, indefinitely.
 * @throws the system's error; EINVAL for what is not a regular file, EFBIG for what is too large
 */
export function readPlainFile(file: string): Buffer {
  const stat = statSync(file)
  if (stat.isDirectory()) throw systemError('EISDIR', `${file} is a directory`)
  if (!stat.isFile()) throw systemError('EINVAL', `${file} is not a regular file`)
  if (stat.size > LARGEST_BYTES) throw systemError('EFBIG', `${file} is larger than 16 MiB`)
  return readFileSync(file)
}

function systemError(code: string, message: string): Error {
  return Object.assign(new Error(`${code}: ${message}`), { code })
}

/** Deeper than any configuration; what walks over values calls itself for each level. */
const MOST_LEVELS = 64

/**
 * @param text may begin with a byte order mark, as some editors write it
 * @returns undefined for text that is not JSON, or nested deeper than any configuration; the engine's own message
 * quotes the text, so it is dropped
 */
export function parseJson(text: string): unknown {
  try {
    const value = JSON.parse(withoutMark(text)) as unknown
    return isDeeper(value, MOST_LEVELS) ? undefined : value
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  return levels === 0 || Object.values(value).some((inner) => isDeeper(inner, levels - 1))
}

/** The text without a byte order mark at its start, which JSON does not allow. */
function withoutMark(text: string): string {
  return text.startsWith('\uFEFF') ? text.slice(1) : text
}

/** The `code` of a system error, such as `ENOENT`. Rethrows what has none. */
export function errorCode(error: unknown): string {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code
  throw error
}
