import { isIP } from 'node:net'

/** An IP address as certificates hold it: 4 or 16 octets in network order. @throws RangeError for what is none */
export function addressBytes(address: string): Uint8Array {
  const kind = isIP(address)
  if (kind === 4) return Uint8Array.from(address.split('.').map(Number))
  if (kind !== 6 || address.includes('%')) throw new RangeError(`not an IP address: ${address}`)
  const [head = '', tail] = withoutDots(address).split('::')
  const before = groups(head)
  const after = groups(tail ?? '')
  const zeros = new Array<number>(8 - before.length - after.length).fill(0)
  return Uint8Array.from([...before, ...zeros, ...after].flatMap((group) => [group >> 8, group & 0xff]))
}

const groups = (text: string) => (text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16)))

/** `::ffff:192.0.2.1` with its last four octets as two groups. */
function withoutDots(address: string): string {
  return address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, ...parts: string[]) => {
    const [a = 0, b = 0, c = 0, d = 0] = parts.slice(0, 4).map(Number)
    return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`
  })
}
