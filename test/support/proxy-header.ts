import { isIPv4 } from 'node:net'

/** What a proxy says of a connection in front of its bytes. @see https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt */
export const proxyV1 = (client: string, port = 4711): string =>
  `PROXY ${isIPv4(client) ? 'TCP4' : 'TCP6'} ${client} ${isIPv4(client) ? '192.0.2.1' : '2001:db8::1'} ${port} 443\r\n`

const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1')
const FAMILY = { unspecified: 0, ipv4: 1, ipv6: 2, unix: 3 } as const

/** @property length what it says of itself; a lie where it is not so long */
type Told = {
  readonly version?: number
  readonly command?: number
  readonly family?: keyof typeof FAMILY
  readonly more?: Buffer
  readonly length?: number
}

/** Signature, version and command, family and transport, length (16 bits), addresses, and what comes after them. */
export function proxyV2(
  addresses: Buffer,
  { version = 2, command = 1, family = 'ipv4', more = Buffer.of(), length = addresses.length + more.length }: Told = {},
): Buffer {
  const head = Buffer.of((version << 4) | command, (FAMILY[family] << 4) | 1, length >> 8, length & 0xff)
  return Buffer.concat([SIGNATURE, head, addresses, more])
}

/** Client and server, then their ports. */
export const ipv4Addresses = (client: string): Buffer =>
  Buffer.of(...client.split('.').map(Number), 192, 0, 2, 1, 0x12, 0x67, 0x01, 0xbb)

/** @param last byte of the client's address in 2001:db8::/32 */
export function ipv6Addresses(last: number): Buffer {
  const address = (end: number) => Buffer.from(`20010db8${'00'.repeat(11)}${end.toString(16).padStart(2, '0')}`, 'hex')
  return Buffer.concat([address(last), address(1), Buffer.of(0x12, 0x67, 0x01, 0xbb)])
}
