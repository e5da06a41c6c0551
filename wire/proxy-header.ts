import { isIP } from 'node:net'

/** One end of a connection. @param address IP, without zone; one of IPv6 in groups of hexadecimal digits alone */
export type End = { readonly address: string; readonly port: number }

export type ProxyVersion = 'v1' | 'v2'

const V2_SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n')
const LOCAL = 0x20
const PROXY = 0x21
const TCP4 = 0x11
const TCP6 = 0x21

/**
 * What a connection to a server begins with that is made for a client elsewhere. Where the two ends are of different
 * families, the one that was reached is unspecified.
 * @see https://www.haproxy.org/download/3.2/doc/proxy-protocol.txt
 */
export function proxyHeader(version: ProxyVersion, client: End, reached: End): Buffer {
  const family = isIP(client.address)
  const unspecified = family === 6 ? '::' : '0.0.0.0'
  const target = isIP(reached.address) === family ? reached : { address: unspecified, port: reached.port }
  if (version === 'v1')
    return Buffer.from(`PROXY TCP${family} ${client.address} ${target.address} ${client.port} ${target.port}\r\n`)
  const ports = Buffer.alloc(4)
  ports.writeUInt16BE(client.port, 0)
  ports.writeUInt16BE(target.port, 2)
  const ends = Buffer.concat([bytesOf(client.address), bytesOf(target.address), ports])
  return Buffer.concat([fixedPart(PROXY, family === 6 ? TCP6 : TCP4, ends.length), ends])
}

/** What a connection begins with that is made for no client, as when it is looked whether the server is there. */
export function ownProxyHeader(version: ProxyVersion): Buffer {
  return version === 'v1' ? Buffer.from('PROXY UNKNOWN\r\n') : fixedPart(LOCAL, 0, 0)
}

function fixedPart(command: number, family: number, length: number): Buffer {
  return Buffer.concat([V2_SIGNATURE, Buffer.from([command, family, length >> 8, length & 255])])
}

function bytesOf(address: string): Buffer {
  if (isIP(address) === 4) return Buffer.from(address.split('.').map(Number))
  const [head = [], tail = []] = address.split('::').map((part) => part.split(':').filter((each) => each !== ''))
  const zeros = Array.from({ length: 8 - head.length - tail.length }, () => '0')
  const bytes = Buffer.alloc(16)
  for (const [at, group] of [...head, ...zeros, ...tail].entries())
    bytes.writeUInt16BE(Number.parseInt(group, 16), at * 2)
  return bytes
}
