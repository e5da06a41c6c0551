import { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import { FRAME, type Frame, FrameError, frameOf, frameReader } from './frames.ts'
import { Received } from './received.ts'
import { Sent } from './sent.ts'

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
  readonly #theirs = new Received()
  #isWanted = false

  constructor() {
    super({ allowHalfOpen: true })
  }

  /** Bytes that came, the end counted as one more. */
  get received(): number {
    return this.#theirs.total
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
    this.#tell(true)
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
        this.bytesRead += body.length
        if (this.#theirs.add(body)) this.#give()
        else this.destroy(reset('the other gateway sends more than it may'))
        break
      case FRAME.end:
        this.#theirs.addEnd()
        this.#give()
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
        this.destroy(this.#theirs.isEndTaken ? undefined : reset('the other gateway has left before its end'))
        break
      default: // a ping, which was heard
    }
  }

  #give(): void {
    for (let next = this.#theirs.next(this.#isWanted); next !== undefined; next = this.#theirs.next(this.#isWanted))
      this.#isWanted = this.push(next)
    this.#tell()
  }

  #tell(isAnew = false): void {
    const taken = this.#theirs.toTell(isAnew)
    if (taken !== null && this.#carrier?.destroyed === false) this.#carrier.write(frameOf(FRAME.taken, taken))
  }

  override _read(): void {
    this.#isWanted = true
    this.#give()
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
