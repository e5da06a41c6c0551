export type Followers = ReturnType<typeof createFollowers>

type Source = (push: (text: string) => void) => () => void

/** Those who follow something that goes on: a bounded number, each with a bounded backlog. */
export function createFollowers(most: number, backlogBytes: number) {
  let count = 0

  return {
    count: () => count,
    isFull: () => count >= most,
    /**
     * What was, and from now on what comes, until `signal` aborts, which it does whatever becomes of the reader.
     * @param source calls back with each new text; @returns what stops it
     * @returns throws to a reader that is too slow
     */
    follow(past: readonly string[], source: Source, signal: AbortSignal): AsyncIterable<string> {
      let waiting: string[] = [...past]
      let bytes = 0
      let wake: (() => void) | null = null
      count += 1
      const stop = source((text) => {
        bytes += text.length
        if (bytes <= backlogBytes) waiting.push(text)
        wake?.()
      })
      const end = () => {
        count -= 1
        stop()
        wake?.()
      }
      if (signal.aborted) end()
      else signal.addEventListener('abort', end, { once: true })

      async function* texts(): AsyncGenerator<string> {
        while (!signal.aborted) {
          if (bytes > backlogBytes) throw new Error('the reader is too slow')
          if (waiting.length > 0) {
            const text = waiting.join('')
            waiting = []
            bytes = 0
            yield text
          } else {
            await new Promise<void>((resolve) => {
              wake = resolve
            })
          }
        }
      }
      return texts()
    },
  }
}
