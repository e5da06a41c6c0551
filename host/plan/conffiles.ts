import { createHash } from 'node:crypto'
import type { HostView } from '../host.ts'

/** What is at a place of the host; text is of files alone. */
type Seen = { readonly kind: 'file' | 'other'; readonly text?: string }

/**
 * Of these files, those that came with a Debian package and are unchanged: nothing of an administrator is in them. dpkg
 * keeps the MD5 of each configuration file as it came. @see deb-conffiles(5), dpkg(1) "status"
 */
export function untouchedConffiles(host: HostView, files: ReadonlyMap<string, Seen>): ReadonlySet<string> {
  const known = host.read('/var/lib/dpkg/status') ?? ''
  const untouched = [...files].flatMap(([place, seen]) => {
    if (seen.text === undefined || /\s/.test(place)) return []
    const md5 = createHash('md5').update(seen.text).digest('hex')
    return known.includes(`\n ${place} ${md5}\n`) ? [place] : []
  })
  return new Set(untouched)
}
