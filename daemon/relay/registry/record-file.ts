import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { codeOf } from '../../../system/error-code.ts'
import { replaceFile } from '../../../system/replace-file.ts'
import type { Stored } from './record-store.ts'

/** The whole file: `records` are key, value, revision. */
const content = z.object({
  version: z.literal(1),
  revision: z.int().nonnegative(),
  records: z.array(z.tuple([z.string(), z.string(), z.int().positive()])),
})

/** Written at a time: a millisecond of the loop. */
const PIECE_RECORDS = 500

type Records = { readonly revision: number; readonly records: Map<string, Stored> }

/** What a file has; nothing, where it is not there. @throws Error that says what to do */
export function readRecords(file: string): Records {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return { revision: 0, records: new Map() }
    throw new Error(`${file}: cannot be read (${codeOf(error)})`, { cause: error })
  }
  const { data, success } = content.safeParse(jsonOf(text))
  if (!success) throw new Error(`${file}: is not a registry of names; restore it from a backup, or move it away`)
  const records = data.records.map(([key, value, revision]): [string, Stored] => [key, { key, value, revision }])
  return { revision: data.revision, records: new Map(records) }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/**
 * Replaces a file, 0600. It has the records of this moment, whatever changes meanwhile.
 * @param without keys that are not written @throws the system's error
 */
export async function writeRecords(
  file: string,
  revision: number,
  memory: ReadonlyMap<string, Stored>,
  without: ReadonlySet<string>,
): Promise<void> {
  const kept = [...memory.values()].filter(({ key }) => !without.has(key))
  await replaceFile(file, piecesOf(revision, kept), { mode: 0o600, parentMode: 0o700, stagedSuffix: 'new' })
}

function* piecesOf(revision: number, kept: readonly Stored[]): Generator<string> {
  yield `{"version":1,"revision":${revision},"records":[`
  for (let at = 0; at < kept.length; at += PIECE_RECORDS) {
    const rows = kept.slice(at, at + PIECE_RECORDS).map(({ key, value, revision: of }) => [key, value, of])
    yield `${at === 0 ? '' : ','}${JSON.stringify(rows).slice(1, -1)}`
  }
  yield ']}\n'
}
