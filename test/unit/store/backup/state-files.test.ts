import { writeFileSync } from 'node:fs'
import Sqlite from 'better-sqlite3'
import { expect, test } from 'vitest'
import { stateFiles } from '../../../../store/backup/state-files.ts'
import { DATABASE_NAMES } from '../../../../store/sqlite/database-names.ts'
import { temporaryDirectory } from '../../../support/temporary-directory.ts'

test('each database is copied whole while it is written: what is in its write-ahead log, too', async () => {
  const place = temporaryDirectory()
  const open = DATABASE_NAMES.map((name) => {
    const database = new Sqlite(place.file(name))
    database.pragma('journal_mode = WAL')
    database.exec("CREATE TABLE kept (text); INSERT INTO kept VALUES ('of the log')")
    return database
  })
  try {
    const seen: string[] = []
    for await (const { entry, content } of stateFiles(place.path)) {
      const pieces: Buffer[] = []
      for await (const piece of content) pieces.push(piece)
      const copy = place.file('copy')
      writeFileSync(copy, Buffer.concat(pieces))
      const database = new Sqlite(copy, { readonly: true })
      seen.push(`${entry.path} ${database.prepare('SELECT text FROM kept').pluck().get()}`)
      database.close()
    }
    expect(seen.sort()).toEqual([...DATABASE_NAMES].sort().map((name) => `state/${name} of the log`))
  } finally {
    for (const database of open) database.close()
    place.remove()
  }
})
