import { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import { FRAME, type Frame, FrameError, type FrameType, frameOf, frameReader } from './frames.ts'
import { MOST_UNTAKEN_BYTES, Sent, TELL_BYTES } from './sent.ts'

/** An encrypted connection that carries a channel for a while. */
export type Carrier = Pick<
  TLSSocket,
  'write' | 'cork' | 'uncork' | 'end' | 'destroy' | 'destroyed' | 'on' | 'once' | 'off'
>

const PING_MS = 10_000
/** So many pings without a word, and the connection is taken for dead. */
const MISSES = 2
const LAST_WORDS_MS = 1_000

/**
 * A stream of bytes both ways between two gateways that outlives the connections which carry it: what was not taken is
 * kept, and said again over the next one, so nothing is lost or comes twice where a way is cut. `detached` is emitted
 * when the connection is gone, `welcome` and `gone` when the other side answers a `begin` or `resume`.
 */
export class Channel extends Duplex {
  /** Bytes that have passed, both ways: a request of which none has may be sent again over another channel. */
  bytesRead = 0
  #carrier: Carrier | null = null
  /** Set while the other side has not said what it has. */
  #isGreeting = false
  readonly #sent = new Sent()
  #isEnding = false
  #isEndSent = false
  #written: (() => void) | null = null
  #finished: (() => void) | null = null
  #received = 0
  #taken = 0
  #told = 0
  #queue: Buffer[] = []
  #isWanted = false
  #hasEnd = false
  #isEndPushed = false

  constructor() {
    super({ allowHalfOpen: true })
  }

  /** Bytes that came, the end counted as one more. */
  get received(): number {
    return this.#received
  }

  get isAttached(): boolean {
    return this.#carrier !== null
  }

  /**
   * Goes on over a connection, in place of the one before.
   * @param hello what is said first
   * @param theirs how much the other side has received; null: it will say so
   * @returns what takes bytes that came already
   */
  attach(carrier: Carrier, hello: Buffer, theirs: number | null): (chunk: Buffer) => void {
    this.#carrier?.destroy()
    this.#carrier = carrier
    this.#isGreeting = theirs === null
    let misses = 0
    const read = frameReader((frame) => {
      if (this.#carrier === carrier) this.#take(frame)
    })
    const feed = (chunk: Buffer) => {
      misses = 0
      try {
        read(chunk)
      } catch (error) {
        if (!(error instanceof FrameError)) throw error
        carrier.destroy()
      }
    }
    const pinging = setInterval(() => {
      misses += 1
      if (misses > MISSES) carrier.destroy()
      else carrier.write(frameOf(FRAME.ping))
    }, PING_MS).unref()
    carrier.on('data', feed)
    carrier.once('close', () => {
      clearInterval(pinging)
      if (this.#carrier !== carrier) return
      this.#carrier = null
      if (!this.destroyed) this.emit('detached')
    })
    carrier.write(hello)
    if (theirs !== null) this.#goOn(theirs)
    return feed
  }

  #goOn(theirs: number): void {
    this.#isGreeting = false
    if (!this.#sent.rewind(theirs)) {
      this.destroy(reset('the other gateway says what cannot be'))
      return
    }
    this.#isEndSent = false
    if (this.#taken > 0) this.#tell()
    this.#pump()
  }

  #pump(): void {
    const carrier = this.#carrier
    if (carrier === null || this.#isGreeting) return
    carrier.cork()
    for (let piece = this.#sent.next(); piece !== undefined; piece = this.#sent.next()) {
      this.bytesRead += piece.length
      carrier.write(frameOf(FRAME.data, piece.length))
      carrier.write(piece)
    }
    if (this.#isEnding && !this.#isEndSent && this.#sent.isAllSent) {
      this.#isEndSent = true
      carrier.write(frameOf(FRAME.end))
    }
    carrier.uncork()
    if (!this.#sent.isAllSent) return
    const written = this.#written
    this.#written = null
    written?.()
  }

  #take({ type, number, body }: Frame): void {
    switch (type) {
      case FRAME.data:
        this.#received += body.length
        this.bytesRead += body.length
        if (this.#received - this.#taken > MOST_UNTAKEN_BYTES)
          this.destroy(reset('the other gateway sends more than it may'))
        else if (this.#isWanted && this.#queue.length === 0) this.#give(body)
        else this.#queue.push(body)
        break
      case FRAME.end:
        if (this.#hasEnd) break
        this.#hasEnd = true
        this.#received += 1
        this.#giveEnd()
        break
      case FRAME.taken:
        if (!this.#sent.took(number)) this.destroy(reset('the other gateway says what cannot be'))
        else if (this.#isEnding && this.#sent.isAllTaken(number)) this.#finished?.()
        else this.#pump()
        break
      case FRAME.welcome:
        this.emit('welcome')
        if (this.#isGreeting) this.#goOn(number)
        break
      case FRAME.gone:
        this.emit('gone')
        break
      case FRAME.close:
        if (!this.#isEndPushed) this.push(null)
        this.#isEndPushed = true
        this.destroy()
        break
      default: // a ping, which was heard
    }
  }

  #give(chunk: Buffer): void {
    this.#taken += chunk.length
    this.#isWanted = this.push(chunk)
    if (this.#taken - this.#told >= TELL_BYTES) this.#tell()
  }

  #giveEnd(): void {
    if (!this.#hasEnd || this.#isEndPushed || this.#queue.length > 0) return
    this.#isEndPushed = true
    this.#taken += 1
    this.#tell()
    this.push(null)
  }

  #tell(): void {
    this.#told = this.#taken
    this.#say(FRAME.taken, this.#taken)
  }

  #say(type: FrameType, number = 0): void {
    if (this.#carrier !== null && !this.#carrier.destroyed) this.#carrier.write(frameOf(type, number))
  }

  override _read(): void {
    this.#isWanted = true
    for (let [chunk] = this.#queue; chunk !== undefined && this.#isWanted; [chunk] = this.#queue) {
      this.#queue.shift()
      this.#give(chunk)
    }
    this.#giveEnd()
  }

  override _write(chunk: Buffer, _: BufferEncoding, done: () => void): void {
    this.#sent.add(chunk)
    this.#written = done
    this.#pump()
  }

  override _final(done: () => void): void {
    this.#isEnding = true
    this.#finished = done
    this.#pump()
  }

  /** As of a socket: ends it, and destroys it when the other side has taken all. */
  destroySoon(): void {
    if (this.writable) this.end()
    if (this.writableFinished) this.destroy()
    else this.once('finish', () => this.destroy())
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    const carrier = this.#carrier
    this.#carrier = null
    this.#queue = []
    if (carrier !== null && !carrier.destroyed) {
      const timer = setTimeout(() => carrier.destroy(), LAST_WORDS_MS).unref()
      carrier.once('close', () => clearTimeout(timer))
      carrier.end(frameOf(FRAME.close))
    }
    done(error)
  }
}

/** What ends a channel before both sides have said all. */
export function reset(why: string): Error {
  return Object.assign(new Error(why), { code: 'ECONNRESET' })
}
