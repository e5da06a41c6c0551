import type Sqlite from 'better-sqlite3'

/** The page cache of one connection, in KiB. SQLite's own default here is 16 MiB each, which fills within hours. */
const CACHE_KIB = 4_096

/** Bounds what a connection keeps of its file; the rest stays in the cache of the system. */
export function boundPageCache(database: Sqlite.Database): void {
  database.pragma(`cache_size = -${CACHE_KIB}`)
}
