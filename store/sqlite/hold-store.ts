import type { BatchPart } from '../../daemon/gateway/objects/batch-cost.ts'
import type { Hold, HoldStore } from '../../daemon/gateway/objects/holds.ts'
import type { Database } from './database.ts'
import { patiently } from './patiently.ts'

/** Files whose requests are remembered; the oldest are forgotten. */
const MOST_FILES = 10_000

/** What is held for batches, in the tables `batch_hold` and `batch_file`. @throws GateError STORE_UNAVAILABLE */
export function openHoldStore(database: Database): HoldStore {
  const all = database.prepare<[], string>('SELECT hold FROM batch_hold').pluck()
  const put = database.prepare('INSERT OR REPLACE INTO batch_hold (upstream, id, hold) VALUES (?, ?, ?)')
  const remove = database.prepare('DELETE FROM batch_hold WHERE upstream = ? AND id = ?')
  const putFile = database.prepare('INSERT OR REPLACE INTO batch_file (upstream, id, at, parts) VALUES (?, ?, ?, ?)')
  const trim = database.prepare(
    `DELETE FROM batch_file WHERE at <= (SELECT at FROM batch_file ORDER BY at DESC LIMIT 1 OFFSET ${MOST_FILES})`,
  )
  const parts = database
    .prepare<[string, string], string>('SELECT parts FROM batch_file WHERE upstream = ? AND id = ?')
    .pluck()
  return {
    all: () => all.all().map((text) => JSON.parse(text) as Hold), // as `put` has written it
    put: (hold) => void patiently(database, () => put.run(hold.upstream, hold.id, JSON.stringify(hold))),
    remove: (upstream, id) => void patiently(database, () => remove.run(upstream, id)),
    putFile(upstream, id, at, wanted) {
      patiently(database, () => putFile.run(upstream, id, at, JSON.stringify(wanted)))
      patiently(database, () => trim.run())
    },
    partsOfFile: (upstream, id) => JSON.parse(parts.get(upstream, id) ?? '[]') as BatchPart[],
  }
}
