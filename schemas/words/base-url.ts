/**
 * Whether a URL is that of an upstream, or lies below it: the upstream's key may go there. What is escaped may be read
 * as more slashes there.
 */
export function isBelow(base: string, url: string): boolean {
  const from = URL.parse(base)
  const to = URL.parse(url)
  if (from === null || to === null || from.origin !== to.origin) return false
  const path = from.pathname.replace(/\/+$/, '')
  return to.pathname === path || (to.pathname.startsWith(`${path}/`) && !to.pathname.includes('%'))
}
