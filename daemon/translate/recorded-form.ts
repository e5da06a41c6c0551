import type { JsonRecord } from './json-value.ts'

/** What a recorded answer is told under. */
export type RecordFacts = {
  readonly requestId: string
  /** Unix seconds. */
  readonly nowS: number
  /** Counts bytes that are kept of it until its request ends. @throws GateError when there are too many */
  readonly hold: (bytes: number) => void
}

/** Makes the events of a recorded answer, numbered from 0 on; keeps the answer in the end. */
export type RecordedForm = {
  /** By which clients ask for it. */
  readonly id: string
  /** It goes on although no client waits for it. */
  readonly isBackground: boolean
  /** The client of the request is sent its events. */
  readonly isStreamed: boolean
  /** What is said before an upstream is asked; empty: nothing is. */
  readonly begin: () => readonly Buffer[]
  readonly feed: (chunk: Buffer) => readonly Buffer[]
  /** Nothing more comes. */
  readonly end: () => readonly Buffer[]
  /** There is no answer, but an error. @param body as the client is told it otherwise */
  readonly failed: (body: Buffer) => readonly Buffer[]
  readonly cancelled: () => readonly Buffer[]
  /** Its end was told, and it is kept. */
  readonly isDone: () => boolean
  /** The answer so far, while it is not done. */
  readonly shown: () => JsonRecord
}

/** An answer that is recorded, as its dialect sees it. */
export type RecordedAnswer = {
  readonly form: RecordedForm
  readonly cancel: () => void
  /** The offset after an event; null when that is no longer kept. @param number -1: of the first */
  readonly offsetAfter: (number: number) => number | null
}
