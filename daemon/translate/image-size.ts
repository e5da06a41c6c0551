/** Width and height of an image. */
type ImageSize = { readonly width: number; readonly height: number }

/** Reads the size of a PNG, GIF, WebP or JPEG from its beginning; null when it is none of these, or not in there. */
export function imageSize(start: Buffer): ImageSize | null {
  if (start.length >= 24 && start.readUInt32BE(0) === 0x89504e47) {
    return { width: start.readUInt32BE(16), height: start.readUInt32BE(20) }
  }
  if (start.length >= 10 && start.toString('latin1', 0, 3) === 'GIF') {
    return { width: start.readUInt16LE(6), height: start.readUInt16LE(8) }
  }
  if (start.length >= 30 && start.toString('latin1', 8, 12) === 'WEBP') return webpSize(start)
  return start.length >= 4 && start.readUInt16BE(0) === 0xffd8 ? jpegSize(start) : null
}

/** @see https://developers.google.com/speed/webp/docs/riff_container */
function webpSize(start: Buffer): ImageSize | null {
  switch (start.toString('latin1', 12, 16)) {
    case 'VP8X':
      return { width: start.readUIntLE(24, 3) + 1, height: start.readUIntLE(27, 3) + 1 }
    case 'VP8L': {
      const bits = start.readUInt32LE(21)
      return { width: (bits & 0x3fff) + 1, height: ((bits >> 14) & 0x3fff) + 1 }
    }
    case 'VP8 ':
      return { width: start.readUInt16LE(26) & 0x3fff, height: start.readUInt16LE(28) & 0x3fff }
    default:
      return null
  }
}

/** Walks from segment to segment to the one that begins a frame (ITU T.81, B.1.1.3). */
function jpegSize(start: Buffer): ImageSize | null {
  for (let at = 2; at + 9 <= start.length; at += 2 + start.readUInt16BE(at + 2)) {
    if (start[at] !== 0xff) return null
    const marker = start[at + 1] ?? 0
    const isFrame = marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc
    if (isFrame) return { width: start.readUInt16BE(at + 7), height: start.readUInt16BE(at + 5) }
  }
  return null
}
