/** Consonants alone spell no words, and none looks like a digit: RFC 8628 section 6.1. */
const ALPHABET = 'BCDFGHJKLMNPQRSTVWXZ'
const LENGTH = 8

/**
 * A code that a person reads off one screen and types on another, such as `WDJB-MJHT`: 34.5 bits.
 * @param random gives that many random bytes
 */
export function newUserCode(random: (bytes: number) => Uint8Array): string {
  let code = ''
  while (code.length < LENGTH) {
    for (const byte of random(LENGTH)) {
      if (byte >= 240 || code.length === LENGTH) continue // 240 is the largest multiple of 20: each letter is as likely
      code += ALPHABET[byte % ALPHABET.length]
    }
  }
  return `${code.slice(0, LENGTH / 2)}-${code.slice(LENGTH / 2)}`
}

/** A code as it was made, whatever case and punctuation it was typed with; null when it cannot be one. */
export function normalUserCode(typed: string): string | null {
  if (typed.length > 40) return null
  const letters = typed.toUpperCase().replace(/[^A-Z0-9]/g, '')
  if (letters.length !== LENGTH || [...letters].some((letter) => !ALPHABET.includes(letter))) return null
  return `${letters.slice(0, LENGTH / 2)}-${letters.slice(LENGTH / 2)}`
}
