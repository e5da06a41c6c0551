import { reportedUsage, type TokenCounts } from './usage.ts'

/** What a stream of server-sent events has shown so far. */
export type StreamWatch = ReturnType<typeof createStreamWatch>

/** Longest frame that is looked into; a longer one passes unread. */
const MAX_FRAME_BYTES = 4 * 2 ** 20

const NEWLINE = 0x0a
const CARRIAGE_RETURN = 0x0d
const NOTHING = Buffer.alloc(0)

/**
 * Watches an OpenAI-dialect event stream go by without touching it: counts content frames, catches the usage chunk,
 * the end (`[DONE]` or a finish reason) and an error inside the stream. Only frames that matter are parsed as JSON.
 * Frames end at an empty line (LF or CRLF), wherever the chunks were cut.
 */
export function createStreamWatch() {
  let rest: Buffer = NOTHING
  let frames = 0
  let contentFrames = 0
  let usage: TokenCounts | null = null
  let finished = false
  let done = false
  let failure: string | null = null

  function frame(text: string): void {
    if (!text.includes('data:')) return // a comment, such as a ping
    frames += 1
    if (/^data: ?\[DONE\]\r?$/m.test(text)) {
      done = true
      return
    }
    if (text.includes('"delta"')) contentFrames += 1
    const finish = text.includes('"finish_reason":"') || text.includes('"finish_reason": "')
    if (finish) finished = true
    const mayReport = text.includes('"usage"') && !/"usage": ?null/.test(text)
    const mayFail = text.includes('"error"')
    if (!mayReport && !mayFail) return
    const event = parseData(text)
    if (mayReport) usage = reportedUsage(event) ?? usage
    if (mayFail && isErrorEvent(event)) failure ??= errorMessage(event)
  }

  return {
    /** Reads one more chunk. */
    feed(chunk: Buffer): void {
      const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
      let start = 0
      let newline = bytes.indexOf(NEWLINE)
      while (newline !== -1) {
        let next = newline + 1
        if (bytes[next] === CARRIAGE_RETURN) next += 1
        if (bytes[next] === NEWLINE) {
          frame(bytes.toString('latin1', start, newline))
          start = next + 1
          newline = bytes.indexOf(NEWLINE, start)
        } else {
          newline = bytes.indexOf(NEWLINE, next)
        }
      }
      rest = start === bytes.length ? NOTHING : bytes.subarray(start)
      if (rest.length > MAX_FRAME_BYTES) rest = NOTHING
    },
    /** Whole frames seen. */
    frames: () => frames,
    /** Frames that carried a part of the answer. */
    contentFrames: () => contentFrames,
    usage: () => usage,
    /** The stream said that it is over. */
    isDone: () => done,
    /** The stream reached its end: `[DONE]`, or at least a finish reason. */
    isComplete: () => done || finished,
    /** The message of an error that came inside the stream, or null. */
    failure: () => failure,
    /** Nothing of a frame is pending, so something may be put between this chunk and the next. */
    atBoundary: () => rest.length === 0,
  }
}

function parseData(text: string): unknown {
  const data = text
    .split('\n')
    .filter((line) => line.startsWith('data:'))
    .map((line) => line.slice(5))
    .join('\n')
  try {
    return JSON.parse(Buffer.from(data, 'latin1').toString('utf8'))
  } catch {
    return null
  }
}

function isErrorEvent(event: unknown): event is { readonly error: unknown } {
  return event !== null && typeof event === 'object' && 'error' in event && event.error !== null
}

function errorMessage(event: { readonly error: unknown }): string {
  const { error } = event
  if (error !== null && typeof error === 'object' && 'message' in error) return String(error.message)
  return typeof error === 'string' ? error : 'the upstream reported an error'
}
