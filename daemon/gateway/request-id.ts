/**
 * Makes request ids that sort by time and never repeat: Unix milliseconds, a nonce of this process, a counter.
 * They are keys of the usage log; ids in order are what makes appending to it cheap.
 */
export function createRequestIds(nonce: string, now: () => number): () => string {
  let counter = 0
  let madeAt = Number.NaN
  let start = ''
  return () => {
    counter += 1
    const time = now()
    if (time !== madeAt) {
      madeAt = time
      start = `req_${time.toString(36).padStart(9, '0')}${nonce}`
    }
    return start + counter.toString(36).padStart(6, '0')
  }
}
