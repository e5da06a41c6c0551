import { isIP } from 'node:net'

/** What a ClientHello asks for. */
export type Hello = {
  /** Lower case, without a trailing dot; null: no host name. */
  readonly name: string | null
  /** The protocols offered, in order. */
  readonly alpn: readonly string[]
}

/** `more`: sound so far. `refused`: no further byte can make it a ClientHello that is taken. */
export type HelloReading =
  | { readonly kind: 'more' }
  | { readonly kind: 'refused' }
  | { readonly kind: 'hello'; readonly hello: Hello }

/** Of the handshake message; records around it may make it longer on the wire. */
const MAX_HELLO_BYTES = 16 * 2 ** 10
/** RFC 8446 section 5.1: type, version, length. */
const RECORD_HEADER_BYTES = 5
const MAX_RECORD_BYTES = 2 ** 14
const HANDSHAKE_RECORD = 22
/** RFC 8446 section 4: type and a length of three bytes. */
const MESSAGE_HEADER_BYTES = 4
const CLIENT_HELLO = 1
const SERVER_NAME = 0
const ALPN = 16
const HOST_NAME = 0
const LONGEST_NAME = 255

const MORE: HelloReading = { kind: 'more' }
const REFUSED: HelloReading = { kind: 'refused' }

/**
 * Reads the first bytes of a TLS connection, cut anyhow, up to the end of its ClientHello. What follows is not looked at.
 * @see RFC 8446 sections 4.1.2 and 5.1, RFC 6066 section 3, RFC 7301 section 3.1
 */
export function helloReader(): (chunk: Buffer) => HelloReading {
  const message = new Gathered()
  const header = new Gathered()
  let leftInRecord = 0
  return (chunk) => {
    let rest = chunk
    while (rest.length > 0) {
      if (leftInRecord === 0) {
        const part = rest.subarray(0, RECORD_HEADER_BYTES - header.length)
        header.add(part)
        rest = rest.subarray(part.length)
        const length = recordLength(header.bytes())
        if (length === 'refused') return REFUSED
        if (length === 'more') continue
        leftInRecord = length
        header.clear()
      } else {
        const part = rest.subarray(0, leftInRecord)
        message.add(part)
        rest = rest.subarray(part.length)
        leftInRecord -= part.length
        const reading = readMessage(message.bytes())
        if (reading.kind !== 'more') return reading
      }
    }
    return MORE
  }
}

/** Bytes that come in parts, joined. */
export class Gathered {
  #room = Buffer.allocUnsafe(0)
  length = 0

  add(part: Buffer): void {
    const length = this.length + part.length
    if (length > this.#room.length) {
      const room = Buffer.allocUnsafe(Math.max(length, 2 * this.#room.length))
      this.#room.copy(room, 0, 0, this.length)
      this.#room = room
    }
    part.copy(this.#room, this.length)
    this.length = length
  }

  bytes(): Buffer {
    return this.#room.subarray(0, this.length)
  }

  clear(): void {
    this.length = 0
  }
}

/** How many bytes of payload follow a record header, which is judged by what is there of it. */
function recordLength(header: Buffer): number | 'more' | 'refused' {
  if (header[0] !== HANDSHAKE_RECORD) return 'refused'
  if (header.length > 1 && header[1] !== 3) return 'refused' // every version that a ClientHello may have is 03,XX
  if (header.length < RECORD_HEADER_BYTES) return 'more'
  const length = header.readUInt16BE(3)
  return length === 0 || length > MAX_RECORD_BYTES ? 'refused' : length
}

function readMessage(message: Buffer): HelloReading {
  if (message[0] !== CLIENT_HELLO) return REFUSED
  if (message.length < MESSAGE_HEADER_BYTES) return MORE
  const end = MESSAGE_HEADER_BYTES + message.readUIntBE(1, 3)
  if (end > MAX_HELLO_BYTES) return REFUSED
  if (message.length < end) return MORE
  try {
    return { kind: 'hello', hello: readHello(new Bytes(message.subarray(MESSAGE_HEADER_BYTES, end))) }
  } catch (error) {
    if (error instanceof Malformed) return REFUSED
    throw error
  }
}

class Malformed extends Error {}

/** Reads vectors as TLS writes them: a length, then as many bytes. @throws Malformed past the end */
class Bytes {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  take(count: number): Buffer {
    const end = this.#at + count
    if (end > this.#bytes.length) throw new Malformed()
    const taken = this.#bytes.subarray(this.#at, end)
    this.#at = end
    return taken
  }

  number(width: 1 | 2): number {
    return this.take(width).readUIntBE(0, width)
  }

  vector(width: 1 | 2, atLeast: number, atMost = Number.POSITIVE_INFINITY): Bytes {
    const bytes = this.take(this.number(width))
    if (bytes.length < atLeast || bytes.length > atMost) throw new Malformed()
    return new Bytes(bytes)
  }

  left(): number {
    return this.#bytes.length - this.#at
  }

  text(): string {
    return this.take(this.left()).toString('latin1')
  }
}

function readHello(body: Bytes): Hello {
  body.take(2 + 32) // legacy_version, random
  body.vector(1, 0, 32) // legacy_session_id
  if (body.vector(2, 2).left() % 2 === 1) throw new Malformed() // cipher_suites
  body.vector(1, 1) // legacy_compression_methods
  let hello: Hello = { name: null, alpn: [] }
  if (body.left() === 0) return hello // RFC 5246 section 7.4.1.2: extensions may be left out
  const extensions = body.vector(2, 0)
  if (body.left() > 0) throw new Malformed()
  const seen = new Set<number>()
  while (extensions.left() > 0) {
    const type = extensions.number(2)
    const value = extensions.vector(2, 0)
    // RFC 8446 section 4.2: one of a type; readers that take the first and those that take the last would disagree
    if (seen.has(type)) throw new Malformed()
    seen.add(type)
    if (type === SERVER_NAME) hello = { ...hello, name: readServerName(value) }
    else if (type === ALPN) hello = { ...hello, alpn: readProtocols(value) }
  }
  return hello
}

function readServerName(extension: Bytes): string | null {
  const list = extension.vector(2, 1)
  if (extension.left() > 0) throw new Malformed()
  let name: string | null = null
  while (list.left() > 0) {
    const type = list.number(1)
    const value = list.vector(2, 1).text()
    if (type !== HOST_NAME) continue
    if (name !== null) throw new Malformed()
    name = value
  }
  return name === null ? null : hostName(name)
}

/** @returns null for an address, which is not a host name. @throws Malformed for what is not a name at all */
function hostName(text: string): string | null {
  if (text.length > LONGEST_NAME || !/^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.?$/i.test(text)) throw new Malformed()
  const name = text.toLowerCase().replace(/\.$/, '')
  return isIP(name) === 0 ? name : null
}

function readProtocols(extension: Bytes): string[] {
  const list = extension.vector(2, 2)
  if (extension.left() > 0) throw new Malformed()
  const protocols: string[] = []
  while (list.left() > 0) protocols.push(list.vector(1, 1).text())
  return protocols
}
