import { EventEmitter } from 'node:events'
import type { RecordedForm } from '../translate/recorded-form.ts'
import type { ResponseHeaders } from '../upstream/forward-end.ts'
import type { Answer } from './answer.ts'
import { headersOf } from './answer-headers.ts'
import type { Count } from './blocks.ts'
import type { Outlet } from './outlet.ts'
import { Tape } from './tape.ts'

/** Where room is scarce, a client this far behind holds up the answer, as its connection would. */
const SCARCE_LAG_BYTES = 64 * 2 ** 10

/** So many of the longest events a client may be behind: an item, its end and the end of the response say it again. */
const EVENTS_IN_ROW = 4

/** Bounds of one recording. */
export type RecordingLimits = {
  /** So much is kept for clients that come back. */
  readonly maxBytes: number
  /** So much where its events are long. */
  readonly mostBytes?: number
  /** So long it goes on while no client follows it; null: to its end. */
  readonly aloneMs: number | null
}

/** What follows: a client's answer. */
export type Client = Pick<Answer, 'started' | 'start' | 'write' | 'onDrain' | 'onGone' | 'finish' | 'abandon'>

type Follower = {
  readonly client: Client
  /** The offset that it is told next; infinite until the first event that it wants has come. */
  at: number
  /** It wants the events after this one. */
  readonly after: number
  isWaiting: boolean
  readonly over: () => void
}

/**
 * Where an answer goes that outlives its connection: the last of its bytes are kept, and any number of clients follow
 * it from an offset. A class because it stands in for a connection, with its events.
 */
export class Recording extends EventEmitter implements Outlet {
  readonly form: RecordedForm | null
  #maxBytes: number
  readonly #mostBytes: number
  #aloneMs: number | null
  readonly #tape: Tape
  #head: { readonly status: number; readonly headers: ResponseHeaders } | null = null
  #hasFailed = false
  #state: 'open' | 'ended' | 'broken' = 'open'
  readonly #followers = new Set<Follower>()
  /** A client that is further behind holds up the answer, which it would lose otherwise. */
  #maxLagBytes: number
  /** No client has seen what comes after this offset. */
  #seen = 0
  #alone: NodeJS.Timeout | null = null

  /** @param count counts what it takes in memory; `grown` and `left` (by a client) are emitted when that has changed */
  constructor(form: RecordedForm | null, limits: RecordingLimits, count: Count) {
    super()
    this.form = form
    this.#maxBytes = limits.maxBytes
    this.#mostBytes = limits.mostBytes ?? limits.maxBytes
    this.#maxLagBytes = limits.maxBytes
    this.#aloneMs = limits.aloneMs
    this.#tape = new Tape(count)
  }

  get writableFinished(): boolean {
    return this.#state === 'ended'
  }

  /** What runs in the background does not wait for its clients. */
  get writableNeedDrain(): boolean {
    return this.#aloneMs !== null && this.#tape.to() - this.#slowest() > this.#maxLagBytes
  }

  readonly writableLength = 0

  isOver(): boolean {
    return this.#state !== 'open'
  }

  /** Begins before anything is known of an upstream, with what its form says then. */
  begin(headers: ResponseHeaders, events: readonly Buffer[]): void {
    this.#head = { status: 200, headers }
    this.#add(events)
  }

  writeHead(status: number, headers: string[]): void {
    this.#hasFailed = status >= 300
    this.#head ??= { status, headers: headersOf(headers) }
  }

  flushHeaders(): void {
    this.#pumpAll()
  }

  /** @param chunk a text is a ping: it is no part of the answer */
  write(chunk: Buffer | string): boolean {
    if (this.isOver()) return true
    if (typeof chunk === 'string' || this.form === null) this.#tape.append(bytesOf(chunk))
    else this.#add(this.form.feed(chunk))
    this.#pumpAll()
    this.#bound()
    this.emit('grown')
    return !this.writableNeedDrain
  }

  end(rest: Buffer | string = '', encoding: 'latin1' | 'utf8' = 'utf8'): void {
    if (this.isOver()) return
    const bytes = bytesOf(rest, encoding)
    if (this.form === null) this.#tape.append(bytes)
    else if (this.#hasFailed) this.#fail(bytes, this.form.failed(bytes))
    else this.#add([...this.form.feed(bytes), ...this.form.end()])
    this.#close('ended')
  }

  /** Clients that were told the status get the error with it; others have a stream, and the error is an event of it. */
  #fail(body: Buffer, events: readonly Buffer[]): void {
    if (this.#head !== null && this.#head.status >= 300) this.#tape.append(body)
    else this.#add(events)
  }

  /** Breaks off; what makes the answer is let go. */
  destroy(): void {
    if (this.isOver()) return
    if (this.form !== null) this.#add(this.form.end())
    this.#close('broken')
  }

  /** Ends as its form says that a cancelled answer ends. */
  cancel(): void {
    if (this.isOver() || this.form?.isDone() === true) return
    if (this.form !== null) this.#add(this.form.cancelled())
    this.#close('broken')
  }

  /** No client comes back to it: it ends when the last one leaves. */
  endWhenAlone(): void {
    this.#aloneMs = 0
    if (this.#followers.size === 0) this.destroy()
  }

  /** Ends, when it is one that a client was to come back to. */
  endAlone(): void {
    if (this.#followers.size === 0 && this.#aloneMs !== null) this.destroy()
  }

  /** Keeps what its clients still have to read, and nothing for those that may come back. */
  forget(): void {
    this.#maxLagBytes = Math.min(this.#maxLagBytes, SCARCE_LAG_BYTES)
    if (this.#followers.size > 0 || this.#aloneMs === null) this.#tape.trim(0, this.#slowest())
  }

  /**
   * The offset after an event of its form; null when that is no longer kept, infinite while it has not come.
   * @param number -1: of the first
   */
  offsetAfter(number: number): number | null {
    return this.#tape.offsetAfter(number)
  }

  /** Offsets of the first byte that is kept, and after the last. */
  kept(): readonly [from: number, to: number] {
    return [this.#tape.from(), this.#tape.to()]
  }

  holds(offset: number): boolean {
    const [from, to] = this.kept()
    return offset >= from && offset <= to
  }

  /** Sends a client everything from an offset on that is kept. @returns when it has all, or is gone */
  follow(client: Client, from: number): Promise<void> {
    return this.#follow(client, from, -1)
  }

  /** The same with the events after one, which may not have come yet. */
  followAfter(client: Client, number: number): Promise<void> {
    return this.#follow(client, this.offsetAfter(number) ?? this.#tape.from(), number)
  }

  #follow(client: Client, from: number, after: number): Promise<void> {
    return new Promise((over) => {
      const follower: Follower = { client, at: from, after, isWaiting: false, over }
      if (this.#alone !== null) clearTimeout(this.#alone)
      this.#alone = null
      this.#followers.add(follower)
      client.onGone(() => this.#remove(follower))
      this.#pump(follower)
    })
  }

  /** Over, and told to all that followed it. */
  isIdle(): boolean {
    return this.isOver() && this.#followers.size === 0
  }

  /** Forgets what is kept of one that is idle. */
  clear(): void {
    this.#tape.clear()
  }

  #add(events: readonly Buffer[]): void {
    this.#tape.addEvents(events)
    // a client that reads one of them is not left behind by the next
    const longest = events.reduce((most, { length }) => Math.max(most, length), 0)
    this.#maxBytes = Math.max(this.#maxBytes, Math.min(this.#mostBytes, EVENTS_IN_ROW * longest))
  }

  #close(state: 'ended' | 'broken'): void {
    this.#state = state
    if (this.#alone !== null) clearTimeout(this.#alone)
    this.#pumpAll()
    this.emit('close')
    this.emit('grown')
  }

  #pumpAll(): void {
    for (const follower of this.#followers) this.#pump(follower)
  }

  #pump(follower: Follower): void {
    const { client } = follower
    if (follower.isWaiting || !this.#followers.has(follower)) return
    if (this.#head !== null && !client.started()) client.start(this.#head.status, this.#head.headers)
    if (follower.at === Number.POSITIVE_INFINITY) follower.at = this.offsetAfter(follower.after) ?? this.#tape.from()
    while (follower.at < this.#tape.to()) {
      const bytes = this.#tape.at(follower.at)
      follower.at += bytes.length
      this.#seen = Math.max(this.#seen, follower.at)
      if (client.write(bytes)) continue
      follower.isWaiting = true
      client.onDrain(() => {
        follower.isWaiting = false
        this.#pump(follower)
        this.#noteProgress()
      })
      return
    }
    if (!this.isOver()) return
    // what its form has ended is told to the end
    if (client.started() && (this.#state === 'ended' || this.form !== null)) client.finish()
    else client.abandon()
    this.#remove(follower)
  }

  #remove(follower: Follower): void {
    if (!this.#followers.delete(follower)) return
    follower.over()
    if (this.#followers.size === 0) this.#waitAlone()
    this.emit('left')
    this.#noteProgress()
  }

  #waitAlone(): void {
    if (this.isOver() || this.#aloneMs === null) return
    this.#alone = setTimeout(() => this.destroy(), this.#aloneMs).unref()
  }

  #noteProgress(): void {
    if (!this.writableNeedDrain) this.emit('drain')
  }

  /** Keeps what it may; while a client is away, what it could not be told any more is not made. */
  #bound(): void {
    const unseen = this.#tape.to() - this.#seen
    if (unseen > this.#maxBytes) this.endAlone()
    this.#tape.trim(this.#maxBytes, this.#aloneMs === null ? this.#tape.to() : this.#slowest())
    for (const follower of this.#followers) if (follower.at < this.#tape.from()) this.#leaveBehind(follower)
  }

  /** What it would be told next is gone. */
  #leaveBehind(follower: Follower): void {
    follower.client.abandon()
    this.#remove(follower)
  }

  /** Up to where every client was told all. */
  #slowest(): number {
    let slowest = this.#tape.to()
    for (const { at } of this.#followers) slowest = Math.min(slowest, at)
    return slowest
  }
}

function bytesOf(chunk: Buffer | string, encoding: 'latin1' | 'utf8' = 'utf8'): Buffer {
  return typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk
}
