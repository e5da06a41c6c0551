/**
 * Keeps the last lines as bytes in one buffer: a thousand records kept as objects made each young collection of the
 * heap two to three times as long.
 * @param mostLines lines kept at most; fewer when they do not fit
 * @param mostBytes size of the buffer; a line that may take more than that in UTF-8 is not kept
 */
export function createLineRing(mostLines: number, mostBytes: number) {
  const buffer = Buffer.alloc(mostBytes)
  const starts = new Uint32Array(mostLines)
  const ends = new Uint32Array(mostLines)
  let oldest = 0
  let count = 0
  let end = 0

  function drop(): void {
    oldest = (oldest + 1) % mostLines
    count -= 1
  }
  const oldestStart = () => starts[oldest] ?? 0
  const oldestEnd = () => ends[oldest] ?? 0

  return {
    push(line: string): void {
      const longest = line.length * 3
      if (longest > mostBytes) return
      if (end + longest > mostBytes) {
        while (count > 0 && oldestStart() >= end) drop() // what comes after is older than what is at the beginning
        end = 0
      }
      const start = end
      end += buffer.write(line, start, 'utf8')
      while (count > 0 && oldestStart() < end && oldestEnd() > start) drop()
      if (count === mostLines) drop()
      const newest = (oldest + count) % mostLines
      starts[newest] = start
      ends[newest] = end
      count += 1
    },
    /** The last lines, oldest first. */
    last(most: number): string[] {
      const shown = Math.max(0, Math.min(most, count))
      return Array.from({ length: shown }, (_, i) => {
        const at = (oldest + count - shown + i) % mostLines
        return buffer.toString('utf8', starts[at], ends[at])
      })
    },
  }
}
