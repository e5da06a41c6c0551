import { BackupError } from './chunks.ts'

/**
 * One file of a backup. In the stream an entry is the length of its JSON (4 bytes, big-endian), the JSON, and `bytes`
 * bytes; a length of 0 ends the stream.
 */
export type Entry = {
  /**
   * Such as `state/gate.db`: below `state`, the state directory; `config`, what root has of the spec; or `deploy`, what
   * root keeps of the deployment.
   */
  readonly path: string
  readonly bytes: number
  /** Permission bits. */
  readonly mode: number
  /** Unix milliseconds. */
  readonly modifiedMs: number
}

/** An entry and what is in it, to be read to its end before the next one. */
export type FileEntry = { readonly entry: Entry; readonly content: AsyncIterable<Buffer> }

/** The path of the first entry. */
export const MANIFEST = 'manifest.json'

const LONGEST_ENTRY = 8_192
/** What a path may be: nothing that leads elsewhere. */
const PATH = /^(?:manifest\.json|(?:state|config|deploy)(?:\/(?!\.{1,2}(?:\/|$))[^/\0]{1,255})+)$/

/** @throws Error when a content is not as long as its entry says */
export async function* written(files: AsyncIterable<FileEntry>): AsyncGenerator<Buffer> {
  for await (const { entry, content } of files) {
    yield headOf(entry)
    let bytes = 0
    for await (const piece of content) {
      bytes += piece.length
      if (piece.length > 0) yield piece
    }
    if (bytes !== entry.bytes) throw new Error(`${entry.path} has changed while it was read; try again`)
  }
  yield Buffer.alloc(4)
}

/** @throws BackupError when it is not what `written` makes */
export async function* read(pieces: AsyncIterable<Buffer>): AsyncGenerator<FileEntry> {
  const reader = readerOf(pieces)
  for (;;) {
    const length = (await reader.exactly(4)).readUInt32BE()
    if (length === 0) return
    if (length > LONGEST_ENTRY) throw new BackupError('format', 'it holds an entry that no Gate writes')
    const entry = parsed(await reader.exactly(length))
    const content = reader.upTo(entry.bytes)
    yield { entry, content }
    for await (const _ of content); // whatever was not read of it
  }
}

/**
 * Entries as the account of a state directory may give them to root: the manifest first, then nothing but its own.
 * @throws BackupError
 */
export async function* ofState(files: AsyncIterable<FileEntry>): AsyncGenerator<FileEntry> {
  let isFirst = true
  for await (const each of files) {
    if (isFirst ? each.entry.path !== MANIFEST : !isOfState(each.entry))
      throw new BackupError(
        'format',
        `the account of the state directory gave "${each.entry.path}", which is not its own`,
      )
    isFirst = false
    yield each
  }
}

export const isOfState = ({ path }: Entry): boolean => path.startsWith('state/')

function headOf(entry: Entry): Buffer {
  const json = Buffer.from(JSON.stringify(entry))
  const length = Buffer.alloc(4)
  length.writeUInt32BE(json.length)
  return Buffer.concat([length, json])
}

function parsed(json: Buffer): Entry {
  const { path, bytes, mode, modifiedMs } = JSON.parse(json.toString()) as Partial<Record<keyof Entry, unknown>>
  const isKnown = typeof path === 'string' && PATH.test(path)
  if (isKnown && isCount(bytes) && isCount(mode) && isCount(modifiedMs)) return { path, bytes, mode, modifiedMs }
  throw new BackupError('format', 'it holds an entry that no Gate writes')
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0

function readerOf(pieces: AsyncIterable<Buffer>) {
  const iterator = pieces[Symbol.asyncIterator]()
  let held: Buffer = Buffer.alloc(0)

  async function more(): Promise<void> {
    const { done, value } = await iterator.next()
    if (done === true) throw new BackupError('damaged', 'it ends too soon')
    held = held.length === 0 ? value : Buffer.concat([held, value])
  }

  function take(bytes: number): Buffer {
    const taken = held.subarray(0, bytes)
    held = held.subarray(bytes)
    return taken
  }

  return {
    async exactly(bytes: number): Promise<Buffer> {
      while (held.length < bytes) await more()
      return take(bytes)
    },
    /** In pieces as they come; what was taken before is not given again. */
    upTo(bytes: number): AsyncIterable<Buffer> {
      let left = bytes
      return {
        async *[Symbol.asyncIterator]() {
          while (left > 0) {
            if (held.length === 0) await more()
            const piece = take(left)
            left -= piece.length
            yield piece
          }
        },
      }
    },
  }
}
