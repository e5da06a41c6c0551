const MOST_CHARACTERS = 64 * 2 ** 10

/**
 * Joins the lines of one turn of the event loop into one write: a write(2) per request costs more than making its line.
 * Call `flush` when the process exits, for the lines of its last turn.
 */
export function createLineBuffer(write: (text: string) => unknown) {
  let pending = ''
  let scheduled: NodeJS.Immediate | null = null

  function flush(): void {
    if (scheduled !== null) clearImmediate(scheduled)
    scheduled = null
    if (pending === '') return
    const text = pending
    pending = ''
    write(text)
  }

  return {
    push(line: string): void {
      pending += line
      if (pending.length > MOST_CHARACTERS) flush()
      else scheduled ??= setImmediate(flush)
    },
    flush,
  }
}
