/** The shift of a byte is kept in a byte. */
const LONGEST_WINDOW = 255

/**
 * A search for several byte strings at once (Horspool's): it looks at the last byte of a window as long as the shortest
 * of them, and moves on as far as that byte lets it. In text that holds none it looks at one byte in ten or so.
 * @param patterns none of them empty
 * @returns tells whether any of them is in a chunk
 */
export function createSearch(patterns: readonly Uint8Array[]): (chunk: Uint8Array) => boolean {
  const window = Math.min(LONGEST_WINDOW, ...patterns.map(({ length }) => length))
  const shifts = new Uint8Array(256).fill(window)
  for (const pattern of patterns) {
    for (const [i, byte] of pattern.subarray(0, window).entries()) {
      shifts[byte] = Math.min(shifts[byte] ?? 0, window - 1 - i)
    }
  }
  return (chunk) => {
    let last = window - 1
    while (last < chunk.length) {
      const shift = shifts[chunk[last] ?? 0] ?? 0
      if (shift === 0 && patterns.some((pattern) => isAt(pattern, chunk, last - window + 1))) return true
      last += shift === 0 ? 1 : shift
    }
    return false
  }
}

function isAt(pattern: Uint8Array, chunk: Uint8Array, start: number): boolean {
  if (start + pattern.length > chunk.length) return false
  let i = 0
  while (i < pattern.length && pattern[i] === chunk[start + i]) i += 1
  return i === pattern.length
}
