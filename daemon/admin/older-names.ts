/**
 * Names that routes of the admin socket had before, of which gatectl of the version before knows no others: they are
 * served for one release. What is not listed here has no other name yet.
 */
const MOVED: readonly (readonly [RegExp, string])[] = [
  [/^\/v1\/status$/, '/api/admin/system'],
  [/^\/v1\/backends\/(start|stop|restart|logs|events)\/([^/]+)$/, '/api/admin/backends/$2/$1'],
  [/^\/v1\/tls\/renew\/([^/]+)$/, '/api/admin/tls/$1/renew'],
  [/^\/v1\/((?:reload|logs|config|route|backends|tls|usage)(?:\/.*)?)$/, '/api/admin/$1'],
]

/** The path under which a route is served now. */
export function currentPath(path: string): string {
  if (!path.startsWith('/v1/')) return path
  for (const [older, current] of MOVED) if (older.test(path)) return path.replace(older, current)
  return path
}
