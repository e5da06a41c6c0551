import { isRecord, type JsonRecord, parsedRecord } from '../../translate/json-value.ts'
import { LineScanner } from '../../translate/lines.ts'
import type { ObjectForm } from '../../translate/object-form.ts'
import { utf8Of } from '../../translate/sse.ts'
import { textOf } from '../../upstream/answer-text.ts'
import type { Upstream } from '../../upstream/upstream.ts'
import { addRequest, addUnread, type BatchPart } from './batch-cost.ts'

const LINE_END = Buffer.from('\n')
/** Of a file that no one can tell the size of: OpenAI takes batches up to this. */
const MOST_FILE_BYTES = 200 * 2 ** 20
const QUESTION_MS = 10_000
const MOST_ANSWER_BYTES = 2 ** 16

/** Reads an upload as it passes: what its lines ask for, where they are requests of a batch. */
export function readRequests({ key, requestOf }: NonNullable<ObjectForm['requests']>) {
  const parts = new Map<string, BatchPart>()
  let bytes = 0
  let seenBytes = 0
  let unread = 0
  const scanner = new LineScanner((json) => {
    seenBytes += json?.length ?? 0
    if (json === null) unread += 1
    if (json === null || !mayBeRequest(json, key)) return
    const line = parsedRecord(utf8Of(json).replace(/^\uFEFF/, ''))
    const request = isRecord(line) ? requestOf(line, json.length) : null
    if (request !== null) addRequest(parts, request)
    else if (line === null || Object.hasOwn(line, key)) addUnread(parts, json.length)
  })
  return {
    feed(chunk: Buffer): void {
      bytes += chunk.length
      scanner.feed(chunk)
    },
    end(): readonly BatchPart[] {
      scanner.feed(LINE_END)
      if (unread > 0) addUnread(parts, bytes - seenBytes)
      return [...parts.values()]
    },
  }
}

/** @param json as latin1. A name in JSON is written as it is, or with `\u`; an upstream may read what we cannot parse */
function mayBeRequest(json: string, key: string): boolean {
  return /^(?:\xEF\xBB\xBF)?\s*\{/.test(json) && (json.includes(key) || json.includes('\\u'))
}

/** What a file can ask for that did not go up through Gate, or that is not remembered: by its size alone. */
export async function requestsOfUnknown(
  { ask }: Pick<Upstream, 'ask'>,
  { fileAt }: Pick<ObjectForm, 'fileAt'>,
  file: string,
): Promise<readonly BatchPart[]> {
  const parts = new Map<string, BatchPart>()
  const thing = ask === null || fileAt === undefined ? null : await thingAt(ask, fileAt.path(file))
  addUnread(parts, (thing === null ? null : fileAt?.bytesIn(thing)) ?? MOST_FILE_BYTES)
  return [...parts.values()]
}

/** @returns null: the upstream does not say it */
async function thingAt(ask: NonNullable<Upstream['ask']>, path: string): Promise<JsonRecord | null> {
  try {
    const answer = await ask(path, AbortSignal.timeout(QUESTION_MS))
    const text = await textOf(answer, MOST_ANSWER_BYTES)
    return answer.ok ? parsedRecord(text) : null
  } catch {
    return null
  }
}
