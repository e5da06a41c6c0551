import type { Told } from '../neutral-form.ts'
import { frame, numberedTextFrame } from './event.ts'
import { itemId, responseObject } from './response-object.ts'

type State = Parameters<typeof responseObject>[1]

/** Writes many events of one kind that differ in their text alone. */
export type DeltaFrame = ReturnType<typeof numberedTextFrame>
export const deltaFrame = (type: string, rest: object): DeltaFrame => numberedTextFrame(`response.${type}`, rest)

/** The items of a response so far, and its events, which are numbered. */
export class Output {
  readonly #told: Told
  readonly #items: object[] = []
  #number = 0
  model: string

  constructor(told: Told) {
    this.#told = told
    this.model = told.model
  }

  event(type: string, rest: object): string {
    this.#number += 1
    return frame(this.#number - 1, `response.${type}`, rest)
  }

  delta(frameOf: DeltaFrame, text: string): string {
    this.#number += 1
    return frameOf(this.#number - 1, text)
  }

  /** What happened to the response as a whole. */
  lifecycle(type: string, status: State['status'], rest: Partial<State> = {}): string {
    const state = { status, model: this.model, output: this.#items, usage: null, ...rest }
    return this.event(type, { response: responseObject(this.#told, state) })
  }

  /** An item has begun. */
  added(item: object): string {
    return this.event('output_item.added', { output_index: this.#items.length, item })
  }

  /** It has ended. */
  done(item: object): string {
    this.push(item)
    return this.event('output_item.done', { output_index: this.#items.length - 1, item })
  }

  /** Ends an item without saying so. */
  push(item: object): void {
    this.#items.push(item)
  }

  /** Where the next item is. */
  place() {
    return { requestId: this.#told.requestId, index: this.#items.length }
  }

  /** The same as events say it. */
  itemPlace(kind: Parameters<typeof itemId>[0]) {
    const { requestId, index } = this.place()
    return { item_id: itemId(kind, requestId, index), output_index: index }
  }
}
