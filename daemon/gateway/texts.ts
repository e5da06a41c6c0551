import { GateError } from '../../schemas/words/errors.ts'
import type { Log } from '../../schemas/words/log.ts'
import type { AnswerTap } from '../translate/kept-form.ts'
import type { Job } from './job.ts'
import type { AnswerStore } from './kept.ts'

/** Whose prompts and answers are kept. */
type Wanted = {
  /** Ids or names. */
  readonly keys: ReadonlySet<string>
  readonly models: ReadonlySet<string>
}

/** What is kept of one request, as JSON. Bodies are as they were sent and received, from their beginnings on. */
export type KeptText = {
  readonly at: number
  readonly key_id: string
  readonly user_id: string
  readonly model: string
  readonly prompt: string
  readonly answer: string
  /** Bytes that were left out of either. */
  readonly cut_bytes: number
}

/** All texts are under one name in their store; the id is that of the request. */
export const TEXT_OWNER = 'text'

/** Of a prompt, and of an answer. */
const MOST_BYTES = 2 ** 20

export type Texts = ReturnType<typeof createTexts>

/**
 * Keeps prompts and answers where the operator has switched that on, and only there. @param now Unix milliseconds
 */
export function createTexts(store: Pick<AnswerStore, 'put'>, log: Log, now: () => number, initial: Wanted) {
  let wanted = initial
  let isOn = initial.keys.size + initial.models.size > 0
  let hasFailed = false

  function put(requestId: string, text: KeptText): void {
    try {
      store.put(TEXT_OWNER, requestId, text.at, JSON.stringify(text))
      hasFailed = false
    } catch (error) {
      if (!hasFailed) log('error', 'prompts and answers cannot be kept', { error: String(error) })
      hasFailed = true
    }
  }

  return {
    setWanted(next: Wanted): void {
      wanted = next
      isOn = next.keys.size + next.models.size > 0
    },
    /** Watches a request whose text is to be kept. @returns what to call at its end; null: it is not to be kept */
    begin({ answer, keyId, call, asked, allowed, hold }: Job): (() => void) | null {
      if (!isOn) return null
      const { keys, models } = wanted
      const model = allowed?.pinned ?? asked.model
      if (!keys.has(keyId) && !keys.has(answer.progress.keyName) && !models.has(model)) return null
      const tape = tapeOf(answer.tap, hold)
      answer.tap = tape
      const at = now()
      return () => {
        const prompt = call.body.subarray(0, MOST_BYTES)
        put(answer.requestId, {
          at,
          key_id: keyId,
          user_id: answer.progress.principal?.userId ?? '',
          model,
          prompt: prompt.toString('utf8'),
          answer: tape.text(),
          cut_bytes: call.body.length - prompt.length + tape.cutBytes(),
        })
      }
    },
  }
}

/**
 * Keeps the beginning of what passes, and hands it on.
 * @param hold counts what is kept; where it throws, since there is too much of all, no more is
 */
function tapeOf(next: AnswerTap | null, hold: Job['hold']): AnswerTap & { text(): string; cutBytes(): number } {
  const chunks: Buffer[] = []
  let bytes = 0
  let cut = 0
  let mostBytes = MOST_BYTES

  function counted(taken: Buffer): Buffer {
    try {
      hold(taken.length)
      return taken
    } catch (error) {
      if (!(error instanceof GateError)) throw error
      mostBytes = bytes
      return taken.subarray(0, 0)
    }
  }

  return {
    feed(chunk) {
      next?.feed(chunk)
      const wanted = chunk.subarray(0, Math.max(0, mostBytes - bytes))
      const taken = wanted.length > 0 ? counted(wanted) : wanted
      if (taken.length > 0) chunks.push(Buffer.from(taken))
      bytes += taken.length
      cut += chunk.length - taken.length
    },
    end: () => next?.end(),
    text: () => Buffer.concat(chunks).toString('utf8'),
    cutBytes: () => cut,
  }
}
