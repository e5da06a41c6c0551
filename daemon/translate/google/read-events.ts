import { SIGNED_BY } from '../call-signature.ts'
import { type JsonRecord, parsedRecord, textIn } from '../json-value.ts'
import { SpokenReader } from '../spoken-reader.ts'
import { utf8Of } from '../sse.ts'
import type { TokenLogprobs } from '../token-logprobs.ts'
import { citationsOf } from './citations.ts'
import { failureIn } from './error.ts'
import { logprobsOf } from './logprobs.ts'
import { blockedIn, finishOf, firstCandidate, idOf, refusalIn, type Said, saidIn } from './read-answer.ts'
import { reportedUsage } from './usage.ts'

/** Reads a stream of parts of generated content. It ends when the upstream closes it. */
export class ContentEventReader extends SpokenReader {
  readonly #requestId: string

  constructor(requestId: string) {
    super()
    this.#requestId = requestId
  }

  protected read(data: string): void {
    const event = parsedRecord(utf8Of(data))
    const failure = event === null ? 'the upstream sent an event that is not JSON' : failureIn(event)
    if (failure !== null && this.isComplete()) {
      this.close() // nothing is missing
      return
    }
    if (event === null || failure !== null) throw new Error(failure ?? '')
    this.usage = reportedUsage(event) ?? this.usage
    const candidate = firstCandidate(event)
    const blocked = blockedIn(event)
    if (candidate === undefined && blocked === null) return
    if (!this.hasBegun) this.#begin(event)
    if (blocked !== null) this.say('refusal', blocked.text)
    let logprobs = logprobsOf(candidate ?? {})
    for (const said of saidIn(candidate ?? {})) {
      this.#part(said, logprobs)
      if (said.kind === 'text') logprobs = []
    }
    this.cite(citationsOf(candidate ?? {}))
    const refusal = refusalIn(candidate ?? {})
    if (refusal !== null) this.say('refusal', refusal.text)
    if (blocked !== null || typeof candidate?.['finishReason'] === 'string') {
      this.finish = finishOf(candidate ?? {}, { hasCalls: this.callCount > 0, isBlocked: blocked !== null })
    }
  }

  #begin({ responseId, modelVersion }: JsonRecord): void {
    this.begin({ id: textIn(responseId) ?? '', model: textIn(modelVersion) ?? '', usage: this.usage })
  }

  #part(said: Said, logprobs: TokenLogprobs): void {
    if (said.kind !== 'call') {
      this.say(said.kind, said.text, said.kind === 'text' ? logprobs : [])
      return
    }
    const { call, signature } = said
    if (signature !== null) {
      this.speak('reasoning')
      this.parts.signature(this.speech(), signature, SIGNED_BY)
    }
    this.wholeCall(call.id || idOf(this.#requestId, this.callCount), call.name, call.json)
  }
}
