import { createHash } from 'node:crypto'
import type { HostView } from '../host.ts'
import type { SeenFile } from './observe.ts'

/**
 * Of these files, those that a Debian package brought and nobody has changed: nothing of an administrator is in them. dpkg keeps
 * the MD5 of each configuration file as it came. @see deb-conffiles(5), dpkg(1) "status"
 */
export function untouchedConffiles(host: HostView, files: ReadonlyMap<string, SeenFile>): ReadonlySet<string> {
  const known = host.read('/var/lib/dpkg/status') ?? ''
  const untouched = [...files].flatMap(([place, seen]) => {
    if (seen.kind !== 'file' || /[\s]/.test(place)) return []
    const md5 = createHash('md5').update(seen.text).digest('hex')
    return known.includes(`\n ${place} ${md5}\n`) ? [place] : []
  })
  return new Set(untouched)
}
