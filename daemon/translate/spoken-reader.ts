import type { Citation } from './citation.ts'
import { FrameReader } from './frame-reader.ts'
import type { Finish, Usage } from './neutral.ts'
import type { TokenLogprobs } from './token-logprobs.ts'

type Speech = 'text' | 'reasoning' | 'refusal'

/**
 * Reads a stream that does not say where its parts begin and end: one lasts as long as what is said is of its kind, and
 * a call comes whole.
 */
export abstract class SpokenReader extends FrameReader {
  protected usage: Usage | null = null
  protected finish: Finish | null = null
  protected callCount = 0
  /** How often text or reasoning has begun: each time is a part of its own. */
  #spoken = 0
  #speaking: Speech | null = null

  isComplete(): boolean {
    return this.hasBegun && this.finish !== null
  }

  protected say(kind: Speech, text: string, logprobs: TokenLogprobs = []): void {
    this.speak(kind)
    this.parts.delta(this.speech(), text, logprobs)
  }

  /** Of the text that goes on. */
  protected cite(citations: readonly Citation[]): void {
    if (this.#speaking === 'text') this.parts.cite(this.speech(), citations)
  }

  /** Begins a part, unless one of this kind goes on. */
  protected speak(kind: Speech): void {
    if (this.#speaking === kind) return
    this.#fallSilent()
    this.#speaking = kind
    this.#spoken += 1
    this.parts.begin(this.speech(), { kind })
  }

  /** Key of the part that goes on. */
  protected speech(): string {
    return `said ${this.#spoken}`
  }

  protected wholeCall(id: string, name: string, json: string): void {
    this.#fallSilent()
    const key = `call ${this.callCount}`
    this.parts.begin(key, { kind: 'call', id, name })
    this.parts.delta(key, json)
    this.parts.end(key)
    this.callCount += 1
  }

  #fallSilent(): void {
    if (this.#speaking !== null) this.parts.end(this.speech())
    this.#speaking = null
  }

  protected ending() {
    return { finish: this.finish ?? 'end', stopSequence: null, usage: this.usage } as const
  }
}
