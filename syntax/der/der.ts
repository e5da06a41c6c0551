/** One value of DER: its identifier octet and its contents. @see ITU-T X.690 */
export type DerValue = { readonly tag: number; readonly contents: Uint8Array }

/** Tags of the universal class; a sequence is constructed. */
export const DER = { integer: 0x02, octetString: 0x04, sequence: 0x30 } as const

/** A value of the tag `[n]` of its context, such as a choice. */
export const contextTag = (n: number, isConstructed: boolean) => 0x80 | (isConstructed ? 0x20 : 0) | n

/** Writes one value. @param parts its contents, in their order */
export function der(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const contents = Buffer.concat(parts)
  return Buffer.concat([Uint8Array.of(tag), lengthOctets(contents.length), contents])
}

function lengthOctets(length: number): Uint8Array {
  if (length < 0x80) return Uint8Array.of(length)
  const octets: number[] = []
  for (let left = length; left > 0; left >>>= 8) octets.unshift(left & 0xff)
  return Uint8Array.of(0x80 | octets.length, ...octets)
}

/**
 * Reads the values that follow each other in a text of DER. Tags above 30 are not read: X.509 has none.
 * @throws RangeError for what is cut off or has no definite length
 */
export function readDer(bytes: Uint8Array): DerValue[] {
  const values: DerValue[] = []
  for (let at = 0; at < bytes.length; ) {
    const [tag = 0, first] = bytes.subarray(at, at + 2)
    if (first === undefined || first === 0x80 || first > 0x84) throw new RangeError('not DER: no definite length')
    const octets = first < 0x80 ? 0 : first & 0x7f
    const start = at + 2 + octets
    const length = octets === 0 ? first : bytes.subarray(at + 2, start).reduce((sum, octet) => sum * 256 + octet, 0)
    if (start + length > bytes.length) throw new RangeError('not DER: it is cut off')
    values.push({ tag, contents: bytes.subarray(start, start + length) })
    at = start + length
  }
  return values
}
