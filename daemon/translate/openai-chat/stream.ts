import type { StreamWatch, Usage } from '../dialect.ts'
import { SseScanner, utf8Of } from '../sse.ts'
import { reportedUsage } from './usage.ts'

const FINISH = '"finish_reason":'

/**
 * Watches a stream of chat completion chunks go by: counts content, catches the usage chunk, the end (`[DONE]`, or a
 * finish reason of every choice) and an error inside the stream. A plain token is told by its text and not parsed.
 */
export class ChatStreamWatch implements StreamWatch {
  readonly #scanner = new SseScanner((data) => this.#event(data))
  #frames = 0
  #contentFrames = 0
  #usage: Usage | null = null
  #isDone = false
  #failure: string | null = null
  /** Choices that have begun, and whether each has ended. */
  readonly #choices = new Map<number, boolean>()

  feed(chunk: Uint8Array): void {
    this.#scanner.feed(chunk)
  }
  frames(): number {
    return this.#frames
  }
  contentFrames(): number {
    return this.#contentFrames
  }
  usage(): Usage | null {
    return this.#usage
  }
  isDone(): boolean {
    return this.#isDone
  }
  isComplete(): boolean {
    if (this.#isDone) return true
    for (const hasEnded of this.#choices.values()) if (!hasEnded) return false
    return this.#choices.size > 0
  }
  failure(): string | null {
    return this.#failure
  }
  atBoundary(): boolean {
    return this.#scanner.atBoundary()
  }

  #event(data: string): void {
    this.#frames += 1
    if (data === '[DONE]' || data.trim() === '[DONE]') this.#isDone = true
    else if (isPlainToken(data) && this.#choices.get(0) === false) this.#contentFrames += 1
    else this.#read(parsed(data))
  }

  #read(event: Readonly<Record<string, unknown>>): void {
    const { choices, usage, error } = event
    if (Array.isArray(choices)) {
      let hasContent = false
      for (const choice of choices.filter(isRecord)) {
        const index = typeof choice['index'] === 'number' ? choice['index'] : 0
        const reason = choice['finish_reason']
        const hasEnded = typeof reason === 'string' && reason !== ''
        this.#choices.set(index, hasEnded || this.#choices.get(index) === true)
        hasContent ||= 'delta' in choice
      }
      if (hasContent) this.#contentFrames += 1
    }
    if (isRecord(usage)) this.#usage = reportedUsage(event) ?? this.#usage
    if (error !== undefined && error !== null) this.#failure ??= errorMessage(error)
  }
}

/**
 * Whether an event is one more token of the first choice, as the encoders of OpenAI, vLLM and llama.cpp write it: one
 * choice, no finish reason, nothing beside it that matters. Quotes inside of content are escaped, so they cannot match.
 */
function isPlainToken(data: string): boolean {
  const finish = data.indexOf(FINISH)
  if (finish === -1 || !data.startsWith('null', finish + FINISH.length)) return false
  if (data.indexOf(FINISH, finish + FINISH.length) !== -1) return false
  if (!data.includes('"choices":[{"index":0,') && !data.includes('"choices":[{"finish_reason":null,"index":0,'))
    return false
  if (!data.includes('"delta":') || data.includes('"error"')) return false
  const usage = data.indexOf('"usage"')
  return usage === -1 || data.startsWith('"usage":null', usage)
}

function parsed(data: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(utf8Of(data))
    return isRecord(value) ? value : {}
  } catch {
    return {}
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}

function errorMessage(error: unknown): string {
  if (isRecord(error) && 'message' in error) return String(error['message'])
  return typeof error === 'string' ? error : 'the upstream reported an error'
}
