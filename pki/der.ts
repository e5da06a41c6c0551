/** One value of a DER encoding: its tag, its content, and itself whole. @see ITU-T X.690 */
export type DerValue = { readonly tag: number; readonly content: Buffer; readonly next: number }

/** Tags that are read here. */
export const DER = { INTEGER: 0x02, OCTETS: 0x04, OID: 0x06, SEQUENCE: 0x30, EXTENSIONS: 0xa3, KEY_ID: 0x80 } as const

/** Reads the value at a position. @throws RangeError for what is cut off, or longer than 16 MiB */
export function derAt(bytes: Buffer, at: number): DerValue {
  const tag = bytes.readUInt8(at)
  const first = bytes.readUInt8(at + 1)
  const sizeBytes = first < 0x80 ? 0 : first & 0x7f
  if (sizeBytes > 3) throw new RangeError('a DER value is too long')
  const length = sizeBytes === 0 ? first & 0x7f : bytes.readUIntBE(at + 2, sizeBytes)
  const start = at + 2 + sizeBytes
  const next = start + length
  if (next > bytes.length) throw new RangeError('a DER value is cut off')
  return { tag, content: bytes.subarray(start, next), next }
}

/** The values that a constructed one is made of. @throws RangeError for what is cut off */
export function derParts(bytes: Buffer): readonly DerValue[] {
  const parts: DerValue[] = []
  for (let at = 0; at < bytes.length; ) {
    const part = derAt(bytes, at)
    parts.push(part)
    at = part.next
  }
  return parts
}
