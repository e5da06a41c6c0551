import { readdirSync, readFileSync } from 'node:fs'

/** How many file descriptors this process may have, and has; null where /proc does not tell. */
export function ownDescriptors(): { readonly limit: number; readonly open: number } | null {
  try {
    const limit = /^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]
    return limit === undefined ? null : { limit: Number(limit), open: readdirSync('/proc/self/fd').length }
  } catch {
    return null // not Linux
  }
}
