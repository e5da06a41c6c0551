import { isJson } from '../../syntax/json/is-json.ts'
import type { Usage } from './neutral.ts'
import type { StreamWatch } from './stream-watch.ts'

/** What the watch of any stream counts, and how it is asked. What a frame says is the matter of each. */
export abstract class CountingWatch implements StreamWatch {
  protected frameCount = 0
  protected contentFrameCount = 0
  protected contentHasCome = false
  protected usageSoFar: Usage | null = null
  protected hasSaidEnd = false
  protected failureMessage: string | null = null
  protected garbageMessage: string | null = null

  abstract feed(chunk: Buffer): Buffer
  abstract rest(): Buffer
  abstract isComplete(): boolean
  abstract atBoundary(): boolean

  frames(): number {
    return this.frameCount
  }
  contentFrames(): number {
    return this.contentFrameCount
  }
  hasContent(): boolean {
    return this.contentHasCome
  }
  usage(): Usage | null {
    return this.usageSoFar
  }
  isDone(): boolean {
    return this.hasSaidEnd
  }
  failure(): string | null {
    return this.failureMessage
  }
  garbage(): string | null {
    return this.garbageMessage
  }

  /** A frame is no object. Where it is not JSON at all, clients cannot read it either; some are empty. */
  protected noObject(data: string): void {
    if (!isJson(data) && data.trim() !== '') this.garbageMessage = 'the upstream sent an event that is not JSON'
  }

  /** What was reported early in an answer that broke off: at least what has come since counts, too. */
  protected atLeastWhatCame(): Usage | null {
    const usage = this.usageSoFar
    return usage === null ? null : { ...usage, outputTokens: Math.max(usage.outputTokens, this.contentFrameCount) }
  }
}
