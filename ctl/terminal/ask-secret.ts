import { usageFailure } from '../failure.ts'
import type { Input, Output } from '../surroundings.ts'
import { makeRaw } from './raw-terminal.ts'

const ENTER = /[\r\n]/
const END = '\u0004'
const INTERRUPT = '\u0003'
const ERASE = new Set(['\u007f', '\b'])

/**
 * Asks for a secret on a terminal, without showing it.
 * @throws Failure USAGE when it is broken off with Ctrl-C
 */
export async function askSecret(stdin: Input, stderr: Output, question: string): Promise<string> {
  stderr.write(question)
  const restore = makeRaw(stdin)
  try {
    return await typed(stdin)
  } finally {
    restore()
    stderr.write('\n')
  }
}

async function typed(stdin: Input): Promise<string> {
  let secret = ''
  return await new Promise((resolve, reject) => {
    const end = (settle: () => void) => {
      stdin.off('data', take)
      settle()
    }
    const take = (piece: Buffer | string) => {
      for (const key of String(piece)) {
        if (ENTER.test(key) || key === END) return end(() => resolve(secret))
        if (key === INTERRUPT) return end(() => reject(usageFailure('broken off', 'nothing was written')))
        secret = ERASE.has(key) ? secret.slice(0, -1) : secret + key
      }
    }
    stdin.on('data', take)
    stdin.resume()
  })
}

/** Of a text that holds a secret alone. */
export const firstLine = (text: string): string => text.split(/\r?\n/, 1)[0] ?? ''
