const ENTER = new Set([10, 13])
const TILDE = 0x7e
const DOT = 0x2e

/**
 * Finds the keys that hang up, as ssh has them: Enter, "~", ".". A "~" after Enter is kept back until the next key; a
 * second one is sent as a single "~".
 * @returns takes what was typed, gives what is to be sent, and null when it was the keys
 */
export function createHangupKeys(): (typed: Buffer) => Buffer | null {
  let state: 'line start' | 'tilde' | 'inside' = 'line start'
  return (typed) => {
    const sent: number[] = []
    for (const key of typed) {
      if (state === 'tilde') {
        if (key === DOT) return null
        state = 'inside'
        if (key !== TILDE) sent.push(TILDE, key)
        else sent.push(TILDE)
      } else if (state === 'line start' && key === TILDE) {
        state = 'tilde'
        continue
      } else sent.push(key)
      state = ENTER.has(key) ? 'line start' : 'inside'
    }
    return Buffer.from(sent)
  }
}
