import { OPENING_BRACE } from '../../../syntax/json/brackets.ts'
import { isRecord, type JsonRecord, parsedRecord } from '../json-value.ts'
import type { AnswerTap } from '../kept-form.ts'
import { SseScanner, utf8Of } from '../sse.ts'
import { ENDS } from './event.ts'
import { LONGEST_KEPT_BYTES } from './recorded.ts'

/** Finds the response in an answer: all of it, or the end of a stream. */
export function tapOf(found: (response: JsonRecord) => void): AnswerTap {
  const pieces: Buffer[] = []
  let bytes = 0
  let scanner: SseScanner | null = null
  return {
    feed(chunk) {
      if (chunk.length === 0) return
      if (scanner === null && bytes === 0 && chunk[0] !== OPENING_BRACE) {
        scanner = new SseScanner((data, type) => {
          if (!ENDS.has(type) || data === null) return
          const { response } = parsedRecord(utf8Of(data)) ?? {}
          if (isRecord(response)) found(response)
        }, LONGEST_KEPT_BYTES)
      }
      if (scanner !== null) {
        scanner.feed(chunk)
        return
      }
      bytes += chunk.length
      if (bytes > LONGEST_KEPT_BYTES)
        pieces.length = 0 // it is too long to be kept
      else pieces.push(chunk)
    },
    end() {
      if (scanner !== null || pieces.length === 0) return
      const response = parsedRecord(Buffer.concat(pieces).toString('utf8'))
      if (response !== null) found(response)
    },
  }
}
