import { isIP } from 'node:net'

/**
 * `proxied`: the header is whole; `peer` and `port` are who the proxy speaks for, null when it speaks for itself or does
 * not know, and `bytes` is the length of the header.
 */
export type ProxyReading =
  | { readonly kind: 'more' }
  | { readonly kind: 'refused' }
  | { readonly kind: 'proxied'; readonly peer: string | null; readonly port: number | null; readonly bytes: number }

const MORE: ProxyReading = { kind: 'more' }
const REFUSED: ProxyReading = { kind: 'refused' }

const V1_START = Buffer.from('PROXY ')
/** The longest line of version 1, with its end. */
const V1_MOST_BYTES = 107
const V2_SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n')
/** Signature, version and command, family and protocol, length. */
const V2_FIXED_BYTES = 16
/** Addresses, and what a proxy may add: of TLS, names and ids. */
const V2_MOST_BYTES = 2_048
const LOCAL = 0x20
const PROXY = 0x21
const UNSPECIFIED = 0x00
const TCP4 = 0x11
const TCP6 = 0x21
const UNIX = 0x31

/**
 * Reads the header of the PROXY protocol, version 1 or 2, at the start of a connection.
 * @param bytes all that has come so far
 * @see https://www.haproxy.org/download/3.2/doc/proxy-protocol.txt
 */
export function readProxyHeader(bytes: Buffer): ProxyReading {
  if (startsLike(bytes, V2_SIGNATURE)) return bytes.length < V2_FIXED_BYTES ? MORE : readBinary(bytes)
  if (startsLike(bytes, V1_START)) return readLine(bytes)
  return REFUSED
}

const startsLike = (bytes: Buffer, start: Buffer): boolean => {
  const length = Math.min(bytes.length, start.length)
  return bytes.subarray(0, length).equals(start.subarray(0, length))
}

function readLine(bytes: Buffer): ProxyReading {
  const end = bytes.subarray(0, V1_MOST_BYTES).indexOf('\r\n')
  if (end === -1) return bytes.length < V1_MOST_BYTES ? MORE : REFUSED
  const line = bytes.toString('latin1', 0, end)
  if (/^PROXY UNKNOWN(?: .*)?$/.test(line)) return { kind: 'proxied', peer: null, port: null, bytes: end + 2 }
  const [, family, source = '', target = '', ...ports] =
    /^PROXY TCP([46]) ([0-9a-fA-F.:]+) ([0-9a-fA-F.:]+) (0|[1-9]\d{0,4}) (0|[1-9]\d{0,4})$/.exec(line) ?? []
  if (family === undefined || ports.some((port) => Number(port) > 65_535)) return REFUSED
  if (String(isIP(source)) !== family || String(isIP(target)) !== family) return REFUSED
  return { kind: 'proxied', peer: source, port: Number(ports[0]), bytes: end + 2 }
}

function readBinary(bytes: Buffer): ProxyReading {
  const [command, family] = [bytes[12], bytes[13]]
  const end = V2_FIXED_BYTES + bytes.readUInt16BE(14)
  if ((command !== LOCAL && command !== PROXY) || end > V2_MOST_BYTES) return REFUSED
  const peer = command === LOCAL ? null : readSource(family, bytes.subarray(V2_FIXED_BYTES, end), end - V2_FIXED_BYTES)
  if (peer === undefined) return REFUSED
  if (bytes.length < end) return MORE
  // client and server, then their ports
  const portAt = V2_FIXED_BYTES + (family === TCP4 ? 8 : 32)
  return { kind: 'proxied', peer, port: peer === null ? null : bytes.readUInt16BE(portAt), bytes: end }
}

/** @param length of the addresses and what follows them. @returns undefined: that cannot be */
function readSource(family: number | undefined, addresses: Buffer, length: number): string | null | undefined {
  switch (family) {
    case UNSPECIFIED:
    case UNIX:
      return null
    case TCP4:
      return length < 12 ? undefined : [...addresses.subarray(0, 4)].join('.')
    case TCP6:
      return length < 36 ? undefined : ipv6(addresses.subarray(0, 16))
    default:
      return undefined // a datagram did not bring this connection
  }
}

function ipv6(address: Buffer): string {
  const groups = Array.from({ length: Math.floor(address.length / 2) }, (_, i) => address.readUInt16BE(2 * i))
  return groups.map((group) => group.toString(16)).join(':')
}
