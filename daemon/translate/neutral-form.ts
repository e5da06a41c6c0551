import type { Call, UpstreamSide } from './call.ts'
import type { FeatureTable } from './features.ts'
import type { NeutralAnswer, NeutralEvent, NeutralRequest, Usage, WrittenEvent } from './neutral.ts'
import type { ToolNames } from './tool-names.ts'

/** What a client is told besides the answer itself. */
export type Told = {
  /** How the upstream knows the model, for an answer that does not say it. */
  readonly model: string
  readonly requestId: string
  /** The client's own request. */
  readonly call: Call
  /** Unix seconds. */
  readonly nowS: number
  readonly showsUsage: boolean
  readonly showsThinking: boolean
  /** The client's tools that take a text. */
  readonly freeform: ReadonlySet<string>
  /** Since the request came. */
  readonly elapsedNs: () => number
}

/** A dialect's translation: what arrives is read into the neutral form, what leaves is written from it. */
export type NeutralForm = {
  /** What upstreams of a provider can express, and what becomes of the rest. */
  readonly features: (provider: string) => FeatureTable
  /** A client gets the arguments of a call as an object, not as pieces of JSON. */
  readonly hasWholeCalls?: true
  /** Which names of tools are taken; absent: any. */
  readonly toolNames?: ToolNames
  /** @param call one that `readRequest` of the dialect took @throws GateError BAD_REQUEST */
  readonly readRequest: (call: Call) => NeutralRequest
  /** @returns what is sent as JSON */
  readonly writeRequest: (request: NeutralRequest, side: UpstreamSide) => object
  /** @throws Error when it has another shape */
  readonly readAnswer: (answer: Buffer, requestId: string) => NeutralAnswer
  readonly writeAnswer: (answer: NeutralAnswer & { readonly usage: Usage }, told: Told) => object
  /** @param requestId makes ids for what has none */
  readonly readEvents: (requestId: string) => EventReader
  /** @returns what writes one stream, event by event */
  readonly writeEvents: (told: Told) => (event: WrittenEvent) => string
}

/** Reads one stream, wherever its chunks are cut. After an event of kind `end` or `error` nothing else counts. */
export type EventReader = {
  readonly feed: (chunk: Buffer) => readonly NeutralEvent[]
  /** What ends a frame that is complete but for that, once nothing more comes; null or absent: nothing is missing. */
  readonly owed?: () => Buffer | null
  /** The stream has ended, and `isComplete`: what was not said yet. */
  readonly end: () => readonly NeutralEvent[]
  /** The answer is complete, whether or not the stream said so. */
  readonly isComplete: () => boolean
}
